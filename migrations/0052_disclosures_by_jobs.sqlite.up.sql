-- What a job of the program discloses, no account disclosed: the event names who started it.
-- migrate:compatible

PRAGMA legacy_alter_table = on;
CREATE TABLE "new_disclosure" (
    `id` text NOT NULL,
    `created_at` datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    `updated_at` datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    `version` integer NOT NULL DEFAULT 1,
    `patient_id` text NOT NULL,
    `record_id` text,
    `consent_id` text,
    `disclosed_by` text,
    `recipient_id` text,
    `recipient` text,
    `purpose` text NOT NULL,
    `notice` boolean NOT NULL,
    `disclosed_at` datetime NOT NULL,
    CONSTRAINT `disclosure_pkey` PRIMARY KEY (`id`),
    CONSTRAINT `disclosure_record_id_fkey` FOREIGN KEY (`record_id`) REFERENCES `medicalrecord`(`id`),
    CONSTRAINT `disclosure_consent_id_fkey` FOREIGN KEY (`consent_id`) REFERENCES `consent`(`id`),
    CONSTRAINT `disclosure_disclosed_by_fkey` FOREIGN KEY (`disclosed_by`) REFERENCES `account`(`id`),
    CONSTRAINT `disclosure_recipient_id_fkey` FOREIGN KEY (`recipient_id`) REFERENCES `account`(`id`),
    CONSTRAINT `disclosure_patient_id_fkey` FOREIGN KEY (`patient_id`) REFERENCES `patient`(`id`) ON DELETE CASCADE,
    CONSTRAINT disclosure_recipient_sealed CHECK (recipient IS NULL OR COALESCE(typeof(recipient) = 'text' AND length(CAST(recipient AS BLOB)) = length(recipient) AND length(recipient) >= 52 AND substr(recipient, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:' AND substr(recipient, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT disclosure_purpose_sealed CHECK (COALESCE(typeof(purpose) = 'text' AND length(CAST(purpose AS BLOB)) = length(purpose) AND length(purpose) >= 52 AND substr(purpose, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:' AND substr(purpose, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT disclosure_recipient CHECK ((recipient_id IS NULL) <> (recipient IS NULL))
);
INSERT INTO "new_disclosure" ("id", "created_at", "updated_at", "version", "patient_id", "record_id", "consent_id", "disclosed_by", "recipient_id", "recipient", "purpose", "notice", "disclosed_at")
    SELECT "id", "created_at", "updated_at", "version", "patient_id", "record_id", "consent_id", "disclosed_by", "recipient_id", "recipient", "purpose", "notice", "disclosed_at" FROM "disclosure";
DROP TABLE "disclosure";
ALTER TABLE "new_disclosure" RENAME TO "disclosure";
PRAGMA legacy_alter_table = off;
CREATE INDEX `disclosure_consent_id_idx` ON `disclosure`(`consent_id`);
CREATE INDEX `disclosure_patient_id_idx` ON `disclosure`(`patient_id`);
CREATE INDEX `disclosure_record_id_idx` ON `disclosure`(`record_id`);
CREATE TRIGGER disclosure_key_not_retired_insert BEFORE INSERT ON disclosure
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.recipient, 6, 8),
        substr(NEW.purpose, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'disclosure: sealed under a retired key');
END;
CREATE TRIGGER disclosure_key_not_retired_update BEFORE UPDATE ON disclosure
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.recipient, 6, 8),
        substr(NEW.purpose, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'disclosure: sealed under a retired key');
END;
CREATE TRIGGER disclosure_ours_delete BEFORE DELETE ON disclosure
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER disclosure_ours_insert BEFORE INSERT ON disclosure
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER disclosure_ours_update BEFORE UPDATE ON disclosure
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
