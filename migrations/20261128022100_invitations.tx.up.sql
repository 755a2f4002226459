-- A link that somebody chooses a password with: who is asked to join, or one of the team who has lost theirs. It works once.
CREATE TABLE invitations (
    id         uuid PRIMARY KEY,
    org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    user_id    uuid REFERENCES users ON DELETE CASCADE, -- whose password it is; null: somebody who is to join
    email      text NOT NULL CHECK (email = lower(email)),
    role       text NOT NULL CHECK (role IN ('owner', 'member')),
    token_hash bytea NOT NULL UNIQUE,
    invited_by uuid REFERENCES users ON DELETE CASCADE, -- whoever leaves takes the links along that they made; null: a program with an API key
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (org_id, email)
);
