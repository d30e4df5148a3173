-- One-time links by which an account gets its password: invitations and resets.

CREATE TABLE accountlink (
    id uuid CONSTRAINT accountlink_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    account_id uuid NOT NULL CONSTRAINT accountlink_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    token_hash text NOT NULL,
    expires_at timestamptz(6) NOT NULL
);
CREATE UNIQUE INDEX accountlink_account_id_key ON accountlink (account_id);
CREATE UNIQUE INDEX accountlink_token_hash_key ON accountlink (token_hash);
