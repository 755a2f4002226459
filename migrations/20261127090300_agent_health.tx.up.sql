-- How an agent is doing, over all nodes. Written when something changes and now and then while all is well, never for every turn.
CREATE TABLE agent_health (
    agent_id        uuid PRIMARY KEY REFERENCES agents ON DELETE CASCADE,
    org_id          uuid NOT NULL,
    failures        int NOT NULL DEFAULT 0, -- in a row
    opened_at       timestamptz,            -- the circuit is open since then; null = closed
    probe_at        timestamptz,            -- when the open circuit lets the next turn through
    last_success_at timestamptz,
    last_error      text NOT NULL DEFAULT '',
    last_error_at   timestamptz
);
CREATE INDEX agent_health_open ON agent_health (org_id) WHERE opened_at IS NOT NULL;

-- What happened to an agent outside any thread.
CREATE TABLE agent_events (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL,
    agent_id   uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('circuit_opened', 'circuit_closed')),
    detail     jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL
);
CREATE INDEX agent_events_agent ON agent_events (agent_id, created_at DESC);

ALTER TABLE agents ADD COLUMN max_concurrent int NOT NULL DEFAULT 16 CHECK (max_concurrent > 0),
    ADD COLUMN give_up_seconds int NOT NULL DEFAULT 300 CHECK (give_up_seconds > 0);

-- When the attempts began that count against the agent's total time; null before the first.
ALTER TABLE dispatches ADD COLUMN tried_at timestamptz;

-- Claims go agent by agent: one that is full or away must not stand in front of the others.
CREATE INDEX dispatches_asked ON dispatches (agent_id, due_at) WHERE status = 'queued';
CREATE INDEX dispatches_busy ON dispatches (agent_id) WHERE status = 'running';
