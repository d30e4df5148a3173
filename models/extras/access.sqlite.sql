-- Other programs are refused.

CREATE TRIGGER account_ours_insert BEFORE INSERT ON account
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER account_ours_update BEFORE UPDATE ON account
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER account_ours_delete BEFORE DELETE ON account
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;

CREATE TRIGGER carerelationship_ours_insert BEFORE INSERT ON carerelationship
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER carerelationship_ours_update BEFORE UPDATE ON carerelationship
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER carerelationship_ours_delete BEFORE DELETE ON carerelationship
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;

CREATE TRIGGER breakglass_ours_insert BEFORE INSERT ON breakglass
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER breakglass_ours_update BEFORE UPDATE ON breakglass
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER breakglass_ours_delete BEFORE DELETE ON breakglass
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;

CREATE TRIGGER breakglassentry_ours_insert BEFORE INSERT ON breakglassentry
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER breakglassentry_ours_update BEFORE UPDATE ON breakglassentry
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
CREATE TRIGGER breakglassentry_ours_delete BEFORE DELETE ON breakglassentry
    WHEN '' > '' COLLATE novamind
BEGIN
    SELECT 1;
END;
