ALTER TABLE sessions DROP COLUMN asked_for;
ALTER TABLE sessions DROP COLUMN thread_id;
ALTER TABLE threads DROP COLUMN title;
