-- Undoes: disclosures_by_jobs

ALTER TABLE "disclosure" ALTER COLUMN "disclosed_by" SET NOT NULL;
