-- What somebody of the team should look at, for the number beside the inbox, which every page of the portal shows. While an agent has a thread
-- its messages do not touch this index.
CREATE INDEX threads_unseen ON threads (org_id) WHERE handling IN ('waiting', 'human') AND last_seq > team_read;

-- The same of threads that an agent has and does not answer; and what the sweep looks through.
CREATE INDEX threads_unanswered_of ON threads (org_id, last_message_at) WHERE handling = 'agent' AND last_inbound > answered;
DROP INDEX threads_unanswered;
