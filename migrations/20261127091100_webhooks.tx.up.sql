-- Where an organisation wants to be told what happens in its threads.
CREATE TABLE webhooks (
    id              uuid PRIMARY KEY,
    org_id          uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    url             text NOT NULL,
    kinds           text[] NOT NULL DEFAULT '{}', -- of the timeline; empty = all
    enabled         boolean NOT NULL DEFAULT true,
    disabled_reason text NOT NULL DEFAULT '',     -- why Parley itself switched it off
    failing_since   timestamptz,                  -- nothing but failures since then; null = the last attempt arrived
    secret          bytea NOT NULL,               -- sealed
    previous_secret bytea,                        -- the one before, sealed; signs as well until previous_until
    previous_until  timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX webhooks_org ON webhooks (org_id);
CREATE INDEX webhooks_enabled ON webhooks (org_id) WHERE enabled;

-- What the other side last said to a delivery. A webhook's deliveries have its id as their target.
ALTER TABLE deliveries ADD COLUMN answer_status int, ADD COLUMN answer text NOT NULL DEFAULT '';
CREATE INDEX deliveries_webhook ON deliveries (target, ord) WHERE transport = 'webhook';
CREATE INDEX deliveries_webhook_age ON deliveries (updated_at) WHERE transport = 'webhook' AND status IN ('done', 'dead');
CREATE INDEX deliveries_running ON deliveries (transport, target) WHERE status = 'running';
