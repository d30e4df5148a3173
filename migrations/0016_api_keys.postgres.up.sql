-- Keys that let machines in. The time of last use stands apart: a key's own row is what the log says of it.

CREATE TABLE apikey (
    id uuid CONSTRAINT apikey_pkey PRIMARY KEY,
    created_at timestamptz(6) NOT NULL DEFAULT now(),
    updated_at timestamptz(6) NOT NULL DEFAULT now(),
    version bigint NOT NULL DEFAULT 1,
    account_id uuid NOT NULL CONSTRAINT apikey_account_id_fkey REFERENCES account (id) ON DELETE CASCADE,
    name text NOT NULL, -- lint:allow plain-phi what an admin calls a machine's key
    key_hash text NOT NULL,
    scopes jsonb NOT NULL,
    expires_at timestamptz(6) NOT NULL
);
CREATE INDEX apikey_account_id_idx ON apikey (account_id);
CREATE UNIQUE INDEX apikey_key_hash_key ON apikey (key_hash);

CREATE TABLE apikeyuse (
    api_key_id uuid CONSTRAINT apikeyuse_pkey PRIMARY KEY CONSTRAINT apikeyuse_api_key_id_fkey REFERENCES apikey (id) ON DELETE CASCADE,
    last_used_at timestamptz(6) NOT NULL
);
