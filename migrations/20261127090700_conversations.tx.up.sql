-- Clients that can have several conversations: each has a thread of its own, whose title its people may choose, and a session
-- of such a client is about one thread. asked_for is what the client called the agent or widget.
ALTER TABLE threads ADD COLUMN title text NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN thread_id uuid REFERENCES threads ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN asked_for text NOT NULL DEFAULT '';
CREATE INDEX sessions_thread ON sessions (thread_id) WHERE thread_id IS NOT NULL;
