DROP INDEX IF EXISTS contacts_words;
DROP INDEX threads_unsearchable;
ALTER TABLE threads DROP COLUMN searchable;
DROP TABLE thread_grams;
