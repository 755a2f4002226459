-- What has long left by other ways than our own transports, for the sweep that forgets it. What the other side has under a name of its own is not
-- forgotten: by that its reports are recognised, and nobody is mailed the same replies twice.
CREATE INDEX deliveries_age ON deliveries (status, updated_at) WHERE transport <> 'webhook' AND status IN ('done', 'dead') AND external_id = '';
