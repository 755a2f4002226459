-- How far an API key reaches, and until when. Keys from before reach as far as they did.
ALTER TABLE api_keys
    ADD COLUMN scope      text NOT NULL DEFAULT 'admin' CHECK (scope IN ('read', 'write', 'admin')),
    ADD COLUMN expires_at timestamptz; -- null = never
