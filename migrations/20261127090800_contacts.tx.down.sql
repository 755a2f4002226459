DROP INDEX contacts_phone;
DROP INDEX contacts_email;
DROP INDEX contacts_org;
ALTER TABLE contacts DROP COLUMN erased_at;
