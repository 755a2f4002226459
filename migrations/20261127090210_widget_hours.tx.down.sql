DROP TABLE places;
ALTER TABLE sessions DROP COLUMN trail;
ALTER TABLE widgets DROP COLUMN texts;
ALTER TABLE widgets DROP COLUMN offline_form;
ALTER TABLE widgets DROP COLUMN hours;
