DELETE FROM deliveries WHERE transport = 'webhook';
DROP INDEX deliveries_running;
DROP INDEX deliveries_webhook_age;
DROP INDEX deliveries_webhook;
ALTER TABLE deliveries DROP COLUMN answer, DROP COLUMN answer_status;
DROP TABLE webhooks;
