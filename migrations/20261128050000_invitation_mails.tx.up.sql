-- The mails of invitations: how many there were lately, and how the last one stands.
CREATE INDEX deliveries_invitations ON deliveries (org_id, created_at) WHERE transport = 'mail' AND payload->>'letter' = 'invitation';
