-- Files that visitors and the team send. One belongs to whoever sent it until a message takes it, and then to that message's thread.
-- The token in its address is kept as it is: the message that shows the address stands in this database too, and so does the file
-- itself, so a hash would protect nothing.
CREATE TABLE attachments (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    session_id uuid, -- who sent it: a visitor's session, a person, or with neither a program with an API key
    user_id    uuid,
    contact_id uuid REFERENCES contacts ON DELETE CASCADE, -- of the visitor, until a message takes it
    thread_id  uuid REFERENCES threads ON DELETE CASCADE,  -- null until a message takes it
    message_id uuid,
    token      text NOT NULL UNIQUE,
    name       text NOT NULL,
    mime       text NOT NULL,
    size       bigint NOT NULL CHECK (size > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((thread_id IS NULL) = (message_id IS NULL))
);
CREATE INDEX attachments_waiting ON attachments (org_id, created_at) INCLUDE (size) WHERE thread_id IS NULL;
CREATE INDEX attachments_session ON attachments (session_id, created_at) INCLUDE (size) WHERE session_id IS NOT NULL;
CREATE INDEX attachments_thread ON attachments (thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX attachments_contact ON attachments (contact_id) WHERE contact_id IS NOT NULL;

-- The bytes lie apart, so that nothing but sending a file reads them, and uncompressed, so that a part of one can be read alone.
CREATE TABLE attachment_bytes (
    attachment_id uuid PRIMARY KEY REFERENCES attachments ON DELETE CASCADE,
    org_id        uuid NOT NULL,
    bytes         bytea NOT NULL
);
ALTER TABLE attachment_bytes ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- What everyone may know of a message's files, so that reading messages joins nothing. Null: none, as nearly always.
ALTER TABLE messages ADD COLUMN attachments jsonb;

ALTER TABLE widgets ADD COLUMN attachments_enabled boolean NOT NULL DEFAULT true;
