DROP TABLE spend_holds, spend_sessions, spend_days;
ALTER TABLE organisations DROP COLUMN daily_budget_micros, DROP COLUMN session_budget_micros;
