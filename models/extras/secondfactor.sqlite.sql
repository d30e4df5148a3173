CREATE TRIGGER secondfactor_ours_insert BEFORE INSERT ON secondfactor
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER secondfactor_ours_update BEFORE UPDATE ON secondfactor
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER secondfactor_ours_delete BEFORE DELETE ON secondfactor
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
