DROP INDEX deliveries_ways;
