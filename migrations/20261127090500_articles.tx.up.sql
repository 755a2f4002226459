-- Who may learn of an article, and where an import found it.
ALTER TABLE articles
    ADD COLUMN classification text NOT NULL DEFAULT 'PUBLIC' CHECK (classification IN ('PUBLIC', 'INTERNAL', 'CONFIDENTIAL')),
    ADD COLUMN source         text NOT NULL DEFAULT ''; -- a file's path or a page's address; empty = written by hand
CREATE UNIQUE INDEX articles_source ON articles (org_id, source) WHERE source <> '';

-- Misspelt questions are understood where the database has trigrams. It may not: without the right to install them, or without
-- Postgres' contributed modules, everything else works.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'parley: no pg_trgm, misspelt questions find nothing (%)', SQLERRM;
END
$$;
