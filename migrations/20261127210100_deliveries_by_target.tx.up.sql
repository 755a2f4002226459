-- What is to be delivered, target by target: however much waits, looking for the next is quick.
CREATE INDEX deliveries_ways ON deliveries (transport, target, ord) WHERE status IN ('queued', 'running');
