-- What a job of the program discloses, no account disclosed: the event names who started it.
-- migrate:compatible

ALTER TABLE "disclosure" ALTER COLUMN "disclosed_by" DROP NOT NULL;
