ALTER TABLE disclosure ADD CONSTRAINT disclosure_recipient CHECK ((recipient_id IS NULL) <> (recipient IS NULL));

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
