-- Undoes: record_error_reason

PRAGMA legacy_alter_table = on;
CREATE TABLE "new_medicalrecord" (
    `id` text NOT NULL,
    `created_at` datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    `updated_at` datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now')),
    `version` integer NOT NULL DEFAULT 1,
    `patient_id` text NOT NULL,
    `appointment_id` text,
    `author_id` text NOT NULL,
    `kind` text NOT NULL,
    `sensitivity` text NOT NULL,
    `status` text NOT NULL,
    `occurred_at` datetime NOT NULL,
    `title` text NOT NULL,
    `content` text NOT NULL,
    `codes` json,
    `questionnaire` json,
    `signed_at` datetime,
    `signed_by` text,
    `supersedes_id` text,
    `amendment_reason` text,
    CONSTRAINT `medicalrecord_pkey` PRIMARY KEY (`id`),
    CONSTRAINT `medicalrecord_author_id_fkey` FOREIGN KEY (`author_id`) REFERENCES `account`(`id`),
    CONSTRAINT `medicalrecord_signed_by_fkey` FOREIGN KEY (`signed_by`) REFERENCES `account`(`id`),
    CONSTRAINT `medicalrecord_supersedes_id_fkey` FOREIGN KEY (`supersedes_id`) REFERENCES `medicalrecord`(`id`),
    CONSTRAINT `medicalrecord_appointment_id_fkey` FOREIGN KEY (`appointment_id`) REFERENCES `appointment`(`id`),
    CONSTRAINT `medicalrecord_patient_id_fkey` FOREIGN KEY (`patient_id`) REFERENCES `patient`(`id`) ON DELETE CASCADE,
    CONSTRAINT `medicalrecord_kind` CHECK (kind IN ('intake', 'progress_note', 'treatment_plan', 'assessment', 'diagnosis', 'medication', 'psychotherapy_note', 'sud_counseling_note', 'document')),
    CONSTRAINT `medicalrecord_status` CHECK (status IN ('draft', 'final', 'amended', 'entered-in-error')),
    CONSTRAINT `medicalrecord_sensitivity` CHECK (sensitivity IN ('normal', 'restricted', 'psychotherapy', 'part2')),
    CONSTRAINT medicalrecord_title_sealed CHECK (COALESCE(typeof(title) = 'text' AND length(CAST(title AS BLOB)) = length(title) AND length(title) >= 52 AND substr(title, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:' AND substr(title, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT medicalrecord_content_sealed CHECK (COALESCE(typeof(content) = 'text' AND length(CAST(content AS BLOB)) = length(content) AND length(content) >= 52 AND substr(content, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:' AND substr(content, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT medicalrecord_codes_sealed CHECK (codes IS NULL OR COALESCE(typeof(codes) = 'text' AND length(CAST(codes AS BLOB)) = length(codes) AND length(codes) >= 62 AND substr(codes, 1, 22) GLOB '{"phi":"phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:' AND substr(codes, -2) = '"}' AND substr(codes, 23, length(codes) - 24) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT medicalrecord_questionnaire_sealed CHECK (questionnaire IS NULL OR COALESCE(typeof(questionnaire) = 'text' AND length(CAST(questionnaire AS BLOB)) = length(questionnaire) AND length(questionnaire) >= 62 AND substr(questionnaire, 1, 22) GLOB '{"phi":"phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:' AND substr(questionnaire, -2) = '"}' AND substr(questionnaire, 23, length(questionnaire) - 24) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT medicalrecord_amendment_reason_sealed CHECK (amendment_reason IS NULL OR COALESCE(typeof(amendment_reason) = 'text' AND length(CAST(amendment_reason AS BLOB)) = length(amendment_reason) AND length(amendment_reason) >= 52 AND substr(amendment_reason, 1, 14) GLOB 'phi1:[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]:' AND substr(amendment_reason, 15) NOT GLOB '*[^A-Za-z0-9_-]*', false)),
    CONSTRAINT medicalrecord_psychotherapy CHECK ((kind = 'psychotherapy_note') = (sensitivity = 'psychotherapy')),
    CONSTRAINT medicalrecord_part2 CHECK (kind <> 'sud_counseling_note' OR sensitivity = 'part2'),
    CONSTRAINT medicalrecord_signed CHECK ((signed_at IS NULL) = (signed_by IS NULL) AND (status <> 'draft' OR signed_at IS NULL) AND (status NOT IN ('final', 'amended') OR signed_at IS NOT NULL)),
    CONSTRAINT medicalrecord_amendment CHECK ((supersedes_id IS NULL) = (amendment_reason IS NULL))
);
INSERT INTO "new_medicalrecord" ("id", "created_at", "updated_at", "version", "patient_id", "appointment_id", "author_id", "kind", "sensitivity", "status", "occurred_at", "title", "content", "codes", "questionnaire", "signed_at", "signed_by", "supersedes_id", "amendment_reason")
    SELECT "id", "created_at", "updated_at", "version", "patient_id", "appointment_id", "author_id", "kind", "sensitivity", "status", "occurred_at", "title", "content", "codes", "questionnaire", "signed_at", "signed_by", "supersedes_id", "amendment_reason" FROM "medicalrecord";
DROP TABLE "medicalrecord";
ALTER TABLE "new_medicalrecord" RENAME TO "medicalrecord";
PRAGMA legacy_alter_table = off;
CREATE INDEX `medicalrecord_appointment_id_idx` ON `medicalrecord`(`appointment_id`);
CREATE INDEX `medicalrecord_author_id_idx` ON `medicalrecord`(`author_id`);
CREATE INDEX `medicalrecord_occurred_at_idx` ON `medicalrecord`(`occurred_at`);
CREATE INDEX `medicalrecord_patient_id_idx` ON `medicalrecord`(`patient_id`,`occurred_at`);
CREATE UNIQUE INDEX `medicalrecord_supersedes_id_key` ON `medicalrecord`(`supersedes_id`);
CREATE TRIGGER medicalrecord_frozen_delete BEFORE DELETE ON medicalrecord
    WHEN OLD.status <> 'draft' AND NOT EXISTS (
            SELECT 1 FROM auditsubject AS s JOIN auditlog AS e ON e.id = s.event_id
            WHERE s.entity_id = OLD.id AND s.row_digest = '-' AND s.row_version = OLD.version AND e.created_at >= OLD.created_at)
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
CREATE TRIGGER medicalrecord_frozen_insert BEFORE INSERT ON medicalrecord
    WHEN EXISTS (SELECT 1 FROM medicalrecord WHERE id = NEW.id OR supersedes_id = NEW.supersedes_id)
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
CREATE TRIGGER medicalrecord_frozen_reseal BEFORE UPDATE ON medicalrecord
    WHEN NEW.version = OLD.version AND (NEW.status <> OLD.status OR NEW.updated_at <> OLD.updated_at
            OR substr(NEW.title, 6, 8) || substr(NEW.content, 6, 8) || COALESCE(substr(NEW.codes, 14, 8), '') || COALESCE(substr(NEW.questionnaire, 14, 8), '')
                || COALESCE(substr(NEW.amendment_reason, 6, 8), '')
            = substr(OLD.title, 6, 8) || substr(OLD.content, 6, 8) || COALESCE(substr(OLD.codes, 14, 8), '') || COALESCE(substr(OLD.questionnaire, 14, 8), '')
                || COALESCE(substr(OLD.amendment_reason, 6, 8), ''))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
CREATE TRIGGER medicalrecord_frozen_steps BEFORE UPDATE ON medicalrecord
    WHEN NEW.version <> OLD.version AND (OLD.status, NEW.status) NOT IN (VALUES ('draft', 'draft'), ('draft', 'final'), ('draft', 'entered-in-error'), ('final', 'amended'), ('final', 'entered-in-error'), ('amended', 'entered-in-error'))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
CREATE TRIGGER medicalrecord_frozen_update BEFORE UPDATE ON medicalrecord
    WHEN OLD.status <> 'draft' AND (
            NEW.id IS NOT OLD.id OR rtrim(substr(NEW.created_at, 1, length(NEW.created_at) - 6), '0.') IS NOT rtrim(substr(OLD.created_at, 1, length(OLD.created_at) - 6), '0.') OR NEW.patient_id IS NOT OLD.patient_id OR NEW.appointment_id IS NOT OLD.appointment_id
            OR NEW.author_id IS NOT OLD.author_id OR NEW.kind IS NOT OLD.kind OR NEW.sensitivity IS NOT OLD.sensitivity OR NEW.occurred_at IS NOT OLD.occurred_at
            OR NEW.signed_at IS NOT OLD.signed_at OR NEW.signed_by IS NOT OLD.signed_by OR NEW.supersedes_id IS NOT OLD.supersedes_id OR (NEW.codes IS NULL) <> (OLD.codes IS NULL)
            OR (NEW.questionnaire IS NULL) <> (OLD.questionnaire IS NULL) OR (NEW.amendment_reason IS NULL) <> (OLD.amendment_reason IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: what was signed stays as it is');
END;
CREATE TRIGGER medicalrecord_key_not_retired_insert BEFORE INSERT ON medicalrecord
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.title, 6, 8),
        substr(NEW.content, 6, 8),
        substr(NEW.codes, 14, 8),
        substr(NEW.questionnaire, 14, 8),
        substr(NEW.amendment_reason, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: sealed under a retired key');
END;
CREATE TRIGGER medicalrecord_key_not_retired_update BEFORE UPDATE ON medicalrecord
    WHEN EXISTS (SELECT 1 FROM retiredkey WHERE key_id IN (
        substr(NEW.title, 6, 8),
        substr(NEW.content, 6, 8),
        substr(NEW.codes, 14, 8),
        substr(NEW.questionnaire, 14, 8),
        substr(NEW.amendment_reason, 6, 8)))
BEGIN
    SELECT RAISE(ABORT, 'medicalrecord: sealed under a retired key');
END;
CREATE TRIGGER medicalrecord_ours_delete BEFORE DELETE ON medicalrecord
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER medicalrecord_ours_insert BEFORE INSERT ON medicalrecord
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER medicalrecord_ours_update BEFORE UPDATE ON medicalrecord
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
