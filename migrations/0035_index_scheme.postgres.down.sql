-- Takes the note of how tokens are made away.

ALTER TABLE "keyset" DROP COLUMN "index_scheme";
