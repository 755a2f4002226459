-- How long somebody may wait for a person before they are told what happens next, and in which words; empty = ours, in their language.
ALTER TABLE widgets ADD COLUMN handoff_after_seconds int NOT NULL DEFAULT 60 CHECK (handoff_after_seconds > 0),
    ADD COLUMN waiting_text text NOT NULL DEFAULT '';

ALTER TABLE threads ADD COLUMN wait_due timestamptz, -- when whoever waits here is to be told; null = nobody waits, or they were told
    ADD COLUMN offered_at timestamptz,               -- the agent has kept the contact waiting: people may take the thread, the agent still answers
    ADD COLUMN waited_at timestamptz;                -- the contact was told that nobody has come
CREATE INDEX threads_wait ON threads (wait_due) WHERE wait_due IS NOT NULL;

-- Whatever leaves by another way than our own transports: where to, and with what. Of one thread to one target in order.
ALTER TABLE deliveries ALTER COLUMN thread_id DROP NOT NULL, ALTER COLUMN message_id DROP NOT NULL,
    ADD COLUMN target text NOT NULL DEFAULT '',
    ADD COLUMN payload jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN give_up_at timestamptz NOT NULL DEFAULT now() + interval '24 hours',
    ADD COLUMN ord bigint GENERATED ALWAYS AS IDENTITY;
CREATE INDEX deliveries_order ON deliveries (thread_id, transport, target, ord) WHERE status IN ('queued', 'running');
CREATE INDEX deliveries_lease ON deliveries (lease_until) WHERE status = 'running';
CREATE INDEX deliveries_org ON deliveries (org_id, ord);
