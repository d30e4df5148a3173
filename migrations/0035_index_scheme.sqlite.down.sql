-- Takes the note of how tokens are made away.

PRAGMA legacy_alter_table = on;
CREATE TABLE "new_keyset" (
    id text NOT NULL CONSTRAINT keyset_pkey PRIMARY KEY,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    updated_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    purpose text NOT NULL,
    wrapped text NOT NULL
, version integer NOT NULL DEFAULT 1);
INSERT INTO "new_keyset" ("id", "created_at", "updated_at", "purpose", "wrapped", "version")
    SELECT "id", "created_at", "updated_at", "purpose", "wrapped", "version" FROM "keyset";
DROP TABLE "keyset";
ALTER TABLE "new_keyset" RENAME TO "keyset";
PRAGMA legacy_alter_table = off;
CREATE UNIQUE INDEX keyset_purpose_key ON keyset (purpose);
