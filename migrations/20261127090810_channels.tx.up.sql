-- Ways by which messages travel that are not ours: who answers there, and where replies go.
CREATE TABLE channels (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    name       text NOT NULL, -- what events call it, and threads keep
    kind       text NOT NULL CHECK (kind IN ('generic', 'chatwoot')),
    agent_id   uuid REFERENCES agents ON DELETE SET NULL,
    enabled    boolean NOT NULL,
    reply_url  text NOT NULL DEFAULT '', -- empty: replies stay here
    secret     bytea, -- sealed; signs what goes to reply_url
    config     jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, name)
);
CREATE INDEX channels_agent ON channels (agent_id);

-- The organisation's feed, the newest first.
CREATE INDEX events_org ON events (org_id, ord);
