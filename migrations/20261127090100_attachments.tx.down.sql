ALTER TABLE widgets DROP COLUMN attachments_enabled;
ALTER TABLE messages DROP COLUMN attachments;
DROP TABLE attachment_bytes;
DROP TABLE attachments;
