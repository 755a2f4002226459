DROP INDEX events_kind;
DROP INDEX events_times;
