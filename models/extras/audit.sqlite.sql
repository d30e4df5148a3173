-- With the id, which is an embedded field, so no tag can say it.
CREATE INDEX auditlog_user_id_idx ON auditlog (user_id, id);
CREATE INDEX auditlog_entity_id_idx ON auditlog (entity_id, id);
CREATE INDEX auditlog_action_idx ON auditlog (action, id) WHERE action NOT IN ('read', 'list', 'search', 'create', 'update');
CREATE INDEX auditlog_outcome_idx ON auditlog (outcome, id) WHERE outcome <> 'success';
CREATE INDEX auditlog_origin_idx ON auditlog (origin, id) WHERE origin <> 'api';

-- What is in the log stays as it is. INSERT OR REPLACE would pass a BEFORE DELETE trigger by, so an existing row is refused before.

CREATE TRIGGER auditlog_append_only_insert BEFORE INSERT ON auditlog
    WHEN EXISTS (SELECT 1 FROM auditlog WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'auditlog: the audit log only grows');
END;
CREATE TRIGGER auditlog_append_only_update BEFORE UPDATE ON auditlog
BEGIN
    SELECT RAISE(ABORT, 'auditlog: the audit log only grows');
END;
CREATE TRIGGER auditlog_append_only_delete BEFORE DELETE ON auditlog
BEGIN
    SELECT RAISE(ABORT, 'auditlog: the audit log only grows');
END;
CREATE TRIGGER auditsubject_append_only_insert BEFORE INSERT ON auditsubject
    WHEN EXISTS (SELECT 1 FROM auditsubject WHERE entity_id = NEW.entity_id AND event_id = NEW.event_id)
BEGIN
    SELECT RAISE(ABORT, 'auditsubject: the audit log only grows');
END;
CREATE TRIGGER auditsubject_append_only_update BEFORE UPDATE ON auditsubject
BEGIN
    SELECT RAISE(ABORT, 'auditsubject: the audit log only grows');
END;
CREATE TRIGGER auditsubject_append_only_delete BEFORE DELETE ON auditsubject
BEGIN
    SELECT RAISE(ABORT, 'auditsubject: the audit log only grows');
END;
CREATE TRIGGER auditleaf_append_only_insert BEFORE INSERT ON auditleaf
    WHEN EXISTS (SELECT 1 FROM auditleaf WHERE leaf_index = NEW.leaf_index OR event_id = NEW.event_id)
BEGIN
    SELECT RAISE(ABORT, 'auditleaf: the audit log only grows');
END;
CREATE TRIGGER auditleaf_append_only_update BEFORE UPDATE ON auditleaf
BEGIN
    SELECT RAISE(ABORT, 'auditleaf: the audit log only grows');
END;
CREATE TRIGGER auditleaf_append_only_delete BEFORE DELETE ON auditleaf
BEGIN
    SELECT RAISE(ABORT, 'auditleaf: the audit log only grows');
END;
CREATE TRIGGER auditcheckpoint_append_only_insert BEFORE INSERT ON auditcheckpoint
    WHEN EXISTS (SELECT 1 FROM auditcheckpoint WHERE tree_size = NEW.tree_size)
BEGIN
    SELECT RAISE(ABORT, 'auditcheckpoint: the audit log only grows');
END;
CREATE TRIGGER auditcheckpoint_append_only_update BEFORE UPDATE ON auditcheckpoint
BEGIN
    SELECT RAISE(ABORT, 'auditcheckpoint: the audit log only grows');
END;
CREATE TRIGGER auditcheckpoint_append_only_delete BEFORE DELETE ON auditcheckpoint
BEGIN
    SELECT RAISE(ABORT, 'auditcheckpoint: the audit log only grows');
END;
CREATE TRIGGER audittile_append_only_delete BEFORE DELETE ON audittile
BEGIN
    SELECT RAISE(ABORT, 'audittile: the audit log only grows');
END;
CREATE TRIGGER audittile_grows_insert BEFORE INSERT ON audittile
    WHEN EXISTS (SELECT 1 FROM audittile WHERE level = NEW.level AND tile_index = NEW.tile_index
        AND substr(NEW.hashes, 1, length(hashes)) <> hashes)
BEGIN
    SELECT RAISE(ABORT, 'audittile: the audit log only grows');
END;
CREATE TRIGGER audittile_grows_update BEFORE UPDATE ON audittile
    WHEN NEW.level <> OLD.level OR NEW.tile_index <> OLD.tile_index
        OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
BEGIN
    SELECT RAISE(ABORT, 'audittile: the audit log only grows');
END;

-- Every event waits to become a leaf.

CREATE TRIGGER auditlog_enqueue AFTER INSERT ON auditlog
BEGIN
    INSERT INTO auditoutbox VALUES (NEW.id);
END;

-- Other programs are refused.

CREATE TRIGGER patient_ours_insert BEFORE INSERT ON patient
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER patient_ours_update BEFORE UPDATE ON patient
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER patient_ours_delete BEFORE DELETE ON patient
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER blindindex_ours_insert BEFORE INSERT ON blindindex
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER blindindex_ours_update BEFORE UPDATE ON blindindex
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER blindindex_ours_delete BEFORE DELETE ON blindindex
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditlog_ours_insert BEFORE INSERT ON auditlog
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditlog_ours_update BEFORE UPDATE ON auditlog
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditlog_ours_delete BEFORE DELETE ON auditlog
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditsubject_ours_insert BEFORE INSERT ON auditsubject
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditsubject_ours_update BEFORE UPDATE ON auditsubject
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditsubject_ours_delete BEFORE DELETE ON auditsubject
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditoutbox_ours_insert BEFORE INSERT ON auditoutbox
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditoutbox_ours_update BEFORE UPDATE ON auditoutbox
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditoutbox_ours_delete BEFORE DELETE ON auditoutbox
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditleaf_ours_insert BEFORE INSERT ON auditleaf
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditleaf_ours_update BEFORE UPDATE ON auditleaf
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditleaf_ours_delete BEFORE DELETE ON auditleaf
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER audittile_ours_insert BEFORE INSERT ON audittile
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER audittile_ours_update BEFORE UPDATE ON audittile
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER audittile_ours_delete BEFORE DELETE ON audittile
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditcheckpoint_ours_insert BEFORE INSERT ON auditcheckpoint
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditcheckpoint_ours_update BEFORE UPDATE ON auditcheckpoint
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER auditcheckpoint_ours_delete BEFORE DELETE ON auditcheckpoint
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
