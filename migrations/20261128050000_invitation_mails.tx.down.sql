DROP INDEX deliveries_invitations;
DELETE FROM deliveries WHERE transport = 'mail' AND payload->>'letter' = 'invitation';
