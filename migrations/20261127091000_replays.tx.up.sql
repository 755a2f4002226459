-- A thread's lines, answered again to see what would be said now. Nothing in here is ever shown to a visitor.

-- Threads whose answers are to stay as good as they are. The tape holds all that a replay needs, so that it outlives the
-- details in the flight recorder; it goes with its thread. After a join a thread may have two.
CREATE TABLE golden_threads (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    thread_id  uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    tape       jsonb NOT NULL,
    marked_by  text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX golden_threads_org ON golden_threads (org_id, created_at);
CREATE INDEX golden_threads_thread ON golden_threads (thread_id);

CREATE TABLE replays (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    thread_id   uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    golden_id   uuid REFERENCES golden_threads ON DELETE CASCADE, -- null: of the thread as it was
    agent_id    uuid REFERENCES agents ON DELETE SET NULL,
    agent_name  text NOT NULL,
    judge_id    uuid REFERENCES agents ON DELETE SET NULL,
    override    jsonb NOT NULL DEFAULT '{}', -- of the agent's config; never a secret
    drift       boolean NOT NULL DEFAULT false,
    asked_by    text NOT NULL DEFAULT '',
    status      text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed')),
    error       text NOT NULL DEFAULT '',
    tape        jsonb, -- what is replayed; null once it is over
    answers     int NOT NULL, -- how many there are to be
    attempts    int NOT NULL DEFAULT 0,
    token       bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX replays_org ON replays (org_id, created_at);
CREATE INDEX replays_thread ON replays (thread_id, created_at);
CREATE INDEX replays_golden ON replays (golden_id, created_at);
CREATE INDEX replays_agent ON replays (agent_id);
CREATE INDEX replays_judge ON replays (judge_id);
CREATE INDEX replays_open ON replays (created_at) WHERE status IN ('queued', 'running');

CREATE TABLE replay_turns (
    replay_id         uuid NOT NULL REFERENCES replays ON DELETE CASCADE,
    n                 int NOT NULL, -- 0, 1, 2 …
    org_id            uuid NOT NULL,
    from_seq          bigint NOT NULL,
    to_seq            bigint NOT NULL,
    asked             text NOT NULL, -- what the visitor had written
    then_answer       jsonb NOT NULL,
    now_answer        jsonb NOT NULL,
    outcome           text NOT NULL CHECK (outcome IN ('same', 'changed', 'failed', 'new')),
    error             text NOT NULL DEFAULT '',
    note              text NOT NULL DEFAULT '', -- what was expected
    verdict           text NOT NULL DEFAULT '' CHECK (verdict IN ('', 'equivalent', 'different', 'unclear')),
    reason            text NOT NULL DEFAULT '', -- the judge's
    ms                double precision NOT NULL,
    prompt_tokens     int NOT NULL DEFAULT 0,
    completion_tokens int NOT NULL DEFAULT 0,
    cost_usd          double precision NOT NULL DEFAULT 0,
    recorded          int NOT NULL DEFAULT 0, -- tool calls answered from the record
    live              int NOT NULL DEFAULT 0, -- searches that were not on record
    withheld          int NOT NULL DEFAULT 0, -- tool calls that would have changed something
    PRIMARY KEY (replay_id, n)
);

-- The articles' texts as searches found them, each once, so that a replay finds what was found then though the article has changed.
CREATE TABLE passage_texts (
    org_id  uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    digest  text NOT NULL, -- of the body
    body    text NOT NULL,
    seen_on date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    PRIMARY KEY (org_id, digest)
);
CREATE INDEX passage_texts_age ON passage_texts (org_id, seen_on);
