-- What agents may spend and have spent, in millionths of a US dollar. A hold is set aside before a call and settled after it; both
-- counters include what is held, so that no number of nodes can spend more than there is.

ALTER TABLE organisations
    ADD COLUMN daily_budget_micros bigint CHECK (daily_budget_micros >= 0), -- null = no bound
    ADD COLUMN session_budget_micros bigint CHECK (session_budget_micros >= 0);

CREATE TABLE spend_days (
    org_id uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    day    date NOT NULL, -- UTC
    micros bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, day)
);

CREATE TABLE spend_sessions (
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    session    uuid NOT NULL, -- a session, or a thread that has none
    micros     bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, session)
);
CREATE INDEX spend_sessions_age ON spend_sessions (updated_at);

CREATE TABLE spend_holds (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    day        date NOT NULL,
    session    uuid NOT NULL,
    micros     bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX spend_holds_age ON spend_holds (created_at);
