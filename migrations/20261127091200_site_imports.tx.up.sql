-- The last site that an organisation had read into its knowledge, and how far that has come. One at a time.
CREATE TABLE site_imports (
    org_id         uuid PRIMARY KEY REFERENCES organisations ON DELETE CASCADE,
    sitemap        text NOT NULL,
    language       text NOT NULL,
    classification text NOT NULL,
    status         text NOT NULL CHECK (status IN ('waiting', 'running', 'done', 'failed')),
    token          bigint NOT NULL DEFAULT 0, -- raised by every claim
    lease_until    timestamptz NOT NULL,
    pages          int NOT NULL DEFAULT 0,    -- that the sitemap names
    read           int NOT NULL DEFAULT 0,
    added          int NOT NULL DEFAULT 0,
    updated        int NOT NULL DEFAULT 0,
    unchanged      int NOT NULL DEFAULT 0,
    failed         jsonb NOT NULL DEFAULT '{}', -- address → why
    error          text NOT NULL DEFAULT '',
    started_at     timestamptz NOT NULL,
    finished_at    timestamptz
);
CREATE INDEX site_imports_due ON site_imports (lease_until) WHERE status IN ('waiting', 'running');
