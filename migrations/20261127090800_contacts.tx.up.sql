-- A contact whose content was erased on their wish: what is left of them are numbers.
ALTER TABLE contacts ADD COLUMN erased_at timestamptz;

-- Contacts are listed in the order in which they came, and found by what they told of themselves.
CREATE INDEX contacts_org ON contacts (org_id, id);
CREATE INDEX contacts_email ON contacts (org_id, lower(email)) WHERE email <> '';
CREATE INDEX contacts_phone ON contacts (org_id, phone) WHERE phone <> '';
