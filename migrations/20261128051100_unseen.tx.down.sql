DROP INDEX threads_unanswered_of;
CREATE INDEX threads_unanswered ON threads (last_message_at) WHERE handling = 'agent' AND last_inbound > answered;
DROP INDEX threads_unseen;
