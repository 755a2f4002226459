DROP INDEX deliveries_org;
DROP INDEX deliveries_lease;
DROP INDEX deliveries_order;
DELETE FROM deliveries WHERE thread_id IS NULL OR message_id IS NULL;
ALTER TABLE deliveries DROP COLUMN ord, DROP COLUMN give_up_at, DROP COLUMN payload, DROP COLUMN target,
    ALTER COLUMN message_id SET NOT NULL, ALTER COLUMN thread_id SET NOT NULL;
DROP INDEX threads_wait;
ALTER TABLE threads DROP COLUMN waited_at, DROP COLUMN offered_at, DROP COLUMN wait_due;
ALTER TABLE widgets DROP COLUMN waiting_text, DROP COLUMN handoff_after_seconds;
