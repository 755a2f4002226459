DROP INDEX dispatches_busy;
DROP INDEX dispatches_asked;
ALTER TABLE dispatches DROP COLUMN tried_at;
ALTER TABLE agents DROP COLUMN max_concurrent, DROP COLUMN give_up_seconds;
DROP TABLE agent_events;
DROP TABLE agent_health;
