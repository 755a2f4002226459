-- What the flight recorder keeps of what models were asked and said, and for how long.
ALTER TABLE organisations
    ADD COLUMN record_content text NOT NULL DEFAULT 'metadata' CHECK (record_content IN ('off', 'metadata', 'full')),
    ADD COLUMN record_days    int  NOT NULL DEFAULT 90 CHECK (record_days >= 0); -- 0 = for ever

-- The sweep looks for steps whose details it has not taken away yet.
ALTER TABLE turn_steps ADD COLUMN swept boolean NOT NULL DEFAULT false;
CREATE INDEX turn_steps_age ON turn_steps (org_id, created_at) WHERE NOT swept;

-- When lines of ours had first gone over the wire to the contact, by transport: a row for each run of them.
CREATE TABLE receipts (
    org_id    uuid NOT NULL,
    thread_id uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    transport text NOT NULL,
    from_seq  bigint NOT NULL,
    to_seq    bigint NOT NULL CHECK (to_seq >= from_seq),
    at        timestamptz NOT NULL,
    PRIMARY KEY (thread_id, transport, to_seq)
);
