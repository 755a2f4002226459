-- A thread whose lines were joined to another's stays as a signpost: whoever still follows it finds the way.
ALTER TABLE threads ADD COLUMN merged_into uuid;
CREATE INDEX threads_merged ON threads (merged_into) WHERE merged_into IS NOT NULL;

-- After a rotation the secret before it is good for a while, so that a site can change over without locking visitors out.
ALTER TABLE widgets ADD COLUMN previous_secret bytea; -- sealed
ALTER TABLE widgets ADD COLUMN previous_until timestamptz;
