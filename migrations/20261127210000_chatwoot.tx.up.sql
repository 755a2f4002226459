-- A Chatwoot account is a channel. Beside the secret that signs its webhooks it has the token with which replies are posted there.
ALTER TABLE channels ADD COLUMN token bytea; -- sealed
CREATE INDEX channels_chatwoot ON channels ((config->>'account_id')) WHERE kind = 'chatwoot';

-- What the other side calls what it was sent, where it says so: by that Chatwoot's own report of a reply is told from a person's line.
ALTER TABLE deliveries ADD COLUMN external_id text NOT NULL DEFAULT '';
CREATE INDEX deliveries_chatwoot ON deliveries (target, ord) WHERE transport = 'chatwoot' AND status IN ('queued', 'running', 'dead');

-- Accounts that were taken over from the environment, so that this happens once, also to one that was deleted since.
CREATE TABLE chatwoot_imports (
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    base_url   text NOT NULL,
    account_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, base_url, account_id)
);
