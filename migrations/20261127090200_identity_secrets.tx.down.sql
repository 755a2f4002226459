ALTER TABLE widgets DROP COLUMN previous_until;
ALTER TABLE widgets DROP COLUMN previous_secret;

-- Without its column a signpost would pass for an empty conversation.
DELETE FROM threads WHERE merged_into IS NOT NULL;
ALTER TABLE threads DROP COLUMN merged_into;
