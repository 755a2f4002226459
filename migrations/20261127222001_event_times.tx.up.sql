-- What happened within a time. Events are written as they happen and hardly ever change, so a summary of each stretch of the table is enough,
-- and costs the writing of a message next to nothing.
CREATE INDEX events_times ON events USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);

-- What happens seldom, by its kind. The two that come with every message are left out: what is in every stretch of the list is soon found.
CREATE INDEX events_kind ON events (org_id, kind, ord) WHERE kind <> 'message_received' AND kind <> 'reply_stored';
