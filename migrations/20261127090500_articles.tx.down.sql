ALTER TABLE articles DROP COLUMN classification, DROP COLUMN source;
-- Whoever else has come to use the trigrams keeps them.
DO $$
BEGIN
    DROP EXTENSION IF EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'parley: pg_trgm stays (%)', SQLERRM;
END
$$;
