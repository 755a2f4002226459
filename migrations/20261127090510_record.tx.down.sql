DROP TABLE receipts;
ALTER TABLE turn_steps DROP COLUMN swept;
ALTER TABLE organisations DROP COLUMN record_content, DROP COLUMN record_days;
