DROP TABLE chatwoot_imports;
DROP INDEX deliveries_chatwoot;
ALTER TABLE deliveries DROP COLUMN external_id;
DROP INDEX channels_chatwoot;
ALTER TABLE channels DROP COLUMN token;
