DROP INDEX events_org;
DROP TABLE channels;
