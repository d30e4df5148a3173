-- One-time links by which an account gets its password: invitations and resets.

CREATE TABLE accountlink (
    id text NOT NULL CONSTRAINT accountlink_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    account_id text NOT NULL CONSTRAINT accountlink_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    token_hash text NOT NULL,
    expires_at datetime NOT NULL
);
CREATE UNIQUE INDEX accountlink_account_id_key ON accountlink (account_id);
CREATE UNIQUE INDEX accountlink_token_hash_key ON accountlink (token_hash);
