ALTER TABLE disclosure ADD CONSTRAINT disclosure_recipient CHECK ((recipient_id IS NULL) <> (recipient IS NULL));

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

-- Other programs are refused.

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
CREATE TRIGGER disclosure_ours_delete BEFORE DELETE ON disclosure
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
