-- Keys that let machines in. The time of last use stands apart: a key's own row is what the log says of it.

-- lint:allow plain-phi apikey.name what an admin calls a machine's key
CREATE TABLE apikey (
    id text NOT NULL CONSTRAINT apikey_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    version integer NOT NULL DEFAULT 1,
    account_id text NOT NULL CONSTRAINT apikey_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    name text NOT NULL,
    key_hash text NOT NULL,
    scopes json NOT NULL,
    expires_at datetime NOT NULL
);
CREATE INDEX apikey_account_id_idx ON apikey (account_id);
CREATE UNIQUE INDEX apikey_key_hash_key ON apikey (key_hash);

CREATE TABLE apikeyuse (
    api_key_id text NOT NULL CONSTRAINT apikeyuse_pkey PRIMARY KEY CONSTRAINT apikeyuse_api_key_id_fkey REFERENCES apikey (id) ON DELETE CASCADE,
    last_used_at datetime NOT NULL
);
