ALTER TABLE api_keys DROP COLUMN scope, DROP COLUMN expires_at;
