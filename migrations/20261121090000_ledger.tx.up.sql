-- Every table has org_id and every query filters by it: organisations share nothing.

CREATE TABLE organisations (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    slug       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    org_id        uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    name          text NOT NULL,
    role          text NOT NULL CHECK (role IN ('owner', 'member')),
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX users_org ON users (org_id);

CREATE TABLE portal_sessions (
    token_hash   bytea PRIMARY KEY,
    org_id       uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz
);
CREATE INDEX portal_sessions_user ON portal_sessions (user_id);

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    org_id       uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    name         text NOT NULL,
    prefix       text NOT NULL,
    key_hash     bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz
);
CREATE INDEX api_keys_org ON api_keys (org_id);

-- Answers to POSTs that carried an Idempotency-Key, kept for 24 hours.
CREATE TABLE idempotent_answers (
    org_id      uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    key         text NOT NULL,
    fingerprint bytea NOT NULL, -- of method, path and body: another request under the same key is refused
    status      int NOT NULL DEFAULT 0, -- 0 while the first request is still being worked on
    headers     jsonb NOT NULL DEFAULT '{}',
    body        bytea NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, key)
);
CREATE INDEX idempotent_answers_age ON idempotent_answers (created_at);

CREATE TABLE agents (
    id           uuid PRIMARY KEY,
    org_id       uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    name         text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('builtin', 'openai', 'websocket', 'http')),
    enabled      boolean NOT NULL,
    send_mode    text NOT NULL CHECK (send_mode IN ('autonomous', 'suggest')),
    settle_ms    int NOT NULL CHECK (settle_ms >= 0),
    max_attempts int NOT NULL CHECK (max_attempts > 0),
    config       jsonb NOT NULL DEFAULT '{}',
    secrets      bytea, -- sealed JSON object
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX agents_org ON agents (org_id);

CREATE TABLE widgets (
    id               uuid PRIMARY KEY,
    org_id           uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    key              text NOT NULL UNIQUE,
    name             text NOT NULL,
    enabled          boolean NOT NULL,
    agent_id         uuid REFERENCES agents ON DELETE SET NULL,
    webchat_enabled  boolean NOT NULL,
    allowed_origins  text[] NOT NULL DEFAULT '{}',
    daily_cap        int NOT NULL CHECK (daily_cap >= 0),
    rate_messages    int NOT NULL CHECK (rate_messages > 0),
    rate_window_secs int NOT NULL CHECK (rate_window_secs > 0),
    require_identity boolean NOT NULL DEFAULT false,
    identity_secret  bytea, -- sealed
    fallback_text    text NOT NULL,
    appearance       jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX widgets_org ON widgets (org_id);
CREATE INDEX widgets_agent ON widgets (agent_id);

CREATE TABLE articles (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    title      text NOT NULL,
    url        text NOT NULL DEFAULT '',
    content    text NOT NULL,
    language   regconfig NOT NULL DEFAULT 'english',
    search     tsvector GENERATED ALWAYS AS (
                   setweight(to_tsvector(language, title), 'A') || setweight(to_tsvector(language, content), 'B')) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX articles_org ON articles (org_id);
CREATE INDEX articles_search ON articles USING gin (search);

CREATE TABLE contacts (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    external_id text,
    name        text NOT NULL DEFAULT '',
    email       text NOT NULL DEFAULT '',
    phone       text NOT NULL DEFAULT '',
    stub        boolean NOT NULL,
    opted_out   boolean NOT NULL DEFAULT false,
    profile     jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, external_id)
);

CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    org_id       uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    widget_id    uuid NOT NULL REFERENCES widgets ON DELETE CASCADE,
    contact_id   uuid NOT NULL REFERENCES contacts ON DELETE CASCADE,
    token_hash   bytea NOT NULL UNIQUE,
    identified   boolean NOT NULL DEFAULT false,
    page         jsonb NOT NULL DEFAULT '{}',
    attribution  jsonb NOT NULL DEFAULT '{}',
    locale       text NOT NULL DEFAULT '',
    timezone     text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX sessions_contact ON sessions (contact_id);
CREATE INDEX sessions_widget ON sessions (widget_id);

-- A thread's row is also its lock: whoever changes anything of a thread holds it.
CREATE TABLE threads (
    id               uuid PRIMARY KEY,
    org_id           uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    contact_id       uuid REFERENCES contacts ON DELETE CASCADE,
    widget_id        uuid REFERENCES widgets ON DELETE SET NULL,
    agent_id         uuid REFERENCES agents ON DELETE SET NULL,
    channel          text NOT NULL,
    correlation_key  text NOT NULL,
    handling         text NOT NULL CHECK (handling IN ('agent', 'waiting', 'human', 'closed')),
    epoch            bigint NOT NULL DEFAULT 1,
    assignee_id      uuid REFERENCES users ON DELETE SET NULL,
    last_seq         bigint NOT NULL DEFAULT 0,
    last_inbound     bigint NOT NULL DEFAULT 0,
    answered         bigint NOT NULL DEFAULT 0, -- the contact's lines up to here have their answer
    visitor_read     bigint NOT NULL DEFAULT 0,
    team_read        bigint NOT NULL DEFAULT 0,
    notes            bigint NOT NULL DEFAULT 0,
    last_message_at  timestamptz,
    labels           text[] NOT NULL DEFAULT '{}',
    window_start     timestamptz NOT NULL DEFAULT 'epoch', -- the rate limit's current window and what came in it
    window_count     int NOT NULL DEFAULT 0,
    day              date NOT NULL DEFAULT 'epoch',        -- the daily cap's current UTC day and what came on it
    day_count        int NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (org_id, correlation_key)
);
-- New messages touch last_seq and last_message_at alone; the inbox's order is indexed, so leave room for the new versions.
ALTER TABLE threads SET (fillfactor = 80);
CREATE INDEX threads_inbox ON threads (org_id, last_message_at DESC, id DESC) WHERE last_message_at IS NOT NULL;
CREATE INDEX threads_contact ON threads (contact_id);
CREATE INDEX threads_widget ON threads (widget_id);

CREATE TABLE messages (
    id           uuid PRIMARY KEY,
    org_id       uuid NOT NULL,
    thread_id    uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    seq          bigint NOT NULL CHECK (seq > 0),
    client_id    text NOT NULL DEFAULT '',
    session_id   uuid,
    direction    text NOT NULL CHECK (direction IN ('inbound', 'outbound', 'note')),
    author_kind  text NOT NULL CHECK (author_kind IN ('visitor', 'agent', 'human', 'system')),
    author_name  text NOT NULL,
    author_id    text NOT NULL DEFAULT '',
    content      text NOT NULL,
    content_type text NOT NULL CHECK (content_type IN ('text', 'markdown')),
    citations    jsonb NOT NULL DEFAULT '[]',
    turn_id      uuid,
    created_at   timestamptz NOT NULL,
    UNIQUE (thread_id, seq)
);

-- The append-only ledger of what happened. external_id makes an event idempotent: a visitor's line has
-- {session}:{client_id}, a person's {user}:{client_id}, and what cannot come twice has its own id.
CREATE TABLE events (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL,
    thread_id   uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    channel     text NOT NULL,
    kind        text NOT NULL,
    external_id text NOT NULL,
    message_id  uuid,
    dispatch_id uuid,
    turn_id     uuid,
    detail      jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL,
    ord         bigint GENERATED ALWAYS AS IDENTITY, -- order among events of one instant
    UNIQUE (org_id, channel, kind, external_id)
);
CREATE INDEX events_thread ON events (thread_id, created_at, ord);

CREATE TABLE dispatches (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL,
    thread_id   uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    agent_id    uuid,
    status      text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'skipped', 'dead')),
    skip_reason text NOT NULL DEFAULT '',
    from_seq    bigint NOT NULL,
    to_seq      bigint NOT NULL,
    first_at    timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    attempts    int NOT NULL DEFAULT 0,
    token       bigint NOT NULL DEFAULT 0,
    replies     int NOT NULL DEFAULT 0,
    lease_until timestamptz,
    last_error  text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
-- At most one open dispatch a thread, and so at most one running turn.
CREATE UNIQUE INDEX dispatches_open ON dispatches (thread_id) WHERE status IN ('queued', 'running');
CREATE INDEX dispatches_due ON dispatches (due_at) WHERE status = 'queued';
CREATE INDEX dispatches_lease ON dispatches (lease_until) WHERE status = 'running';
CREATE INDEX dispatches_thread ON dispatches (thread_id, created_at);

CREATE TABLE turns (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL,
    dispatch_id uuid NOT NULL REFERENCES dispatches ON DELETE CASCADE,
    thread_id   uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    agent_id    uuid NOT NULL,
    attempt     int NOT NULL,
    token       bigint NOT NULL,
    epoch       bigint NOT NULL,
    to_seq      bigint NOT NULL, -- it answers the dispatch's lines up to here
    waited_ms   double precision NOT NULL,
    status      text NOT NULL CHECK (status IN ('running', 'done', 'failed', 'suppressed', 'lost')),
    error       text NOT NULL DEFAULT '',
    usage       jsonb NOT NULL DEFAULT '{}',
    started_at  timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX turns_thread ON turns (thread_id, started_at);
CREATE INDEX turns_dispatch ON turns (dispatch_id);
CREATE INDEX turns_agent ON turns (agent_id, started_at DESC);

CREATE TABLE turn_steps (
    ord        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order among steps of one instant
    turn_id    uuid NOT NULL REFERENCES turns ON DELETE CASCADE,
    org_id     uuid NOT NULL,
    thread_id  uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    kind       text NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL
);
CREATE INDEX turn_steps_turn ON turn_steps (turn_id);
CREATE INDEX turn_steps_thread ON turn_steps (thread_id, created_at, ord);

-- A reply's way out of a channel that is not ours.
CREATE TABLE deliveries (
    id          uuid PRIMARY KEY,
    org_id      uuid NOT NULL,
    thread_id   uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    message_id  uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
    transport   text NOT NULL,
    status      text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'dead')),
    due_at      timestamptz NOT NULL,
    attempts    int NOT NULL DEFAULT 0,
    token       bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    last_error  text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE status = 'queued';
CREATE INDEX deliveries_thread ON deliveries (thread_id, created_at);
CREATE INDEX deliveries_message ON deliveries (message_id);
