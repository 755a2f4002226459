-- What a Chatwoot has reported and was told "accepted" for, before it is recorded in its thread: one row a message, so that a crowd of
-- them is acknowledged at once. Rows are read and written by their conversation's key as text and refer to nothing: a check of each would
-- be most of what one costs, and what is gone by the time it is recorded is dealt with then. A row that was recorded stays, empty, until no
-- repeat of the same moment can come any more.
CREATE TABLE chatwoot_reports (
    event_id     uuid PRIMARY KEY, -- what it is, or will be, recorded as
    n            bigint GENERATED ALWAYS AS IDENTITY, -- their order
    org_id       uuid NOT NULL,
    channel_id   uuid NOT NULL,
    channel      text NOT NULL,
    conversation text NOT NULL,
    external_id  text NOT NULL,
    line         bytea NOT NULL,
    attempts     int NOT NULL DEFAULT 0, -- that failed for another reason than that the database was away
    error        text NOT NULL DEFAULT '',
    taken_at     timestamptz, -- when it was recorded
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX chatwoot_reports_once ON chatwoot_reports (org_id, channel, external_id);
CREATE INDEX chatwoot_reports_next ON chatwoot_reports (n) WHERE taken_at IS NULL AND attempts < 5; -- the ledger's reportTries
CREATE INDEX chatwoot_reports_of ON chatwoot_reports (channel_id, conversation, n) WHERE taken_at IS NULL;
CREATE INDEX chatwoot_reports_taken ON chatwoot_reports (taken_at) WHERE taken_at IS NOT NULL;
