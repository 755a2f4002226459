ALTER TABLE widgets ADD COLUMN hours jsonb;                            -- when people are there; null: nothing is promised
ALTER TABLE widgets ADD COLUMN offline_form boolean NOT NULL DEFAULT false;
ALTER TABLE widgets ADD COLUMN texts jsonb NOT NULL DEFAULT '{}';      -- the owner's wording, by the widget's names for its texts

-- What a visitor's browser told, and the pages they came through. The trail is bounded where it is written.
ALTER TABLE sessions ADD COLUMN trail jsonb NOT NULL DEFAULT '[]';

-- What a geo provider said of a network, so that it is asked once a while and not for every visitor.
CREATE TABLE places (
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    network    text NOT NULL, -- IPv4 /24, IPv6 /48: no single visitor's address is kept
    place      jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, network)
);
CREATE INDEX places_expiry ON places (expires_at);
