-- What was said, for the search: which sequences of letters a stretch of a thread's lines has, each as a number. Whatever has all those of
-- a question is then read. An index of the lines themselves would cost every message as much again as storing it; this one is filled
-- in the background, and until then new lines are read without it.
CREATE TABLE thread_grams (
    org_id    uuid NOT NULL,
    thread_id uuid NOT NULL REFERENCES threads ON DELETE CASCADE,
    to_seq    bigint NOT NULL, -- from where the row before ends
    grams     int[] NOT NULL,
    PRIMARY KEY (thread_id, to_seq)
);
ALTER TABLE thread_grams ALTER COLUMN grams SET STORAGE EXTERNAL; -- there is nothing in them to compress
-- Whatever is not sorted in yet is read with every question: little of it is allowed.
CREATE INDEX thread_grams_grams ON thread_grams USING gin (grams) WITH (gin_pending_list_limit = 1024);

ALTER TABLE threads ADD COLUMN searchable bigint NOT NULL DEFAULT 0; -- the lines up to here are in thread_grams
CREATE INDEX threads_unsearchable ON threads (org_id) WHERE last_seq > searchable;

-- Contacts of whom anything is known, which are few beside those who only opened a widget; by sequences of letters, where the database has
-- trigrams; the end of the organisation's id keeps those of others out of it. The expression stands in the ledger's search too.
DO $$
BEGIN
    CREATE INDEX contacts_words ON contacts USING gin ((right(org_id::text, 6) || ' ' || name || ' ' || email || ' ' || phone || ' ' || coalesce(external_id, '')) gin_trgm_ops)
        WHERE name <> '' OR email <> '' OR phone <> '' OR external_id IS NOT NULL;
EXCEPTION WHEN undefined_object THEN
    RAISE NOTICE 'parley: no pg_trgm, looking for contacts reads all of an organisation (%)', SQLERRM;
END
$$;
