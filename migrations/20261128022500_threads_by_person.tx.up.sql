-- Who has which threads, the latest used first: the inbox's tab of one's own, and a person who leaves.
CREATE INDEX threads_assignee ON threads (assignee_id, last_message_at DESC, id DESC) WHERE assignee_id IS NOT NULL;

-- The threads of channels without a widget that an agent answers in, for when it is deleted.
CREATE INDEX threads_agent ON threads (agent_id) WHERE agent_id IS NOT NULL;
