-- Undoes: Refuse retired keys as models say

CREATE OR REPLACE FUNCTION appointment_key_not_retired()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id IN (
        substr(n.reason, 6, 8), substr(n.video_url, 6, 8), substr(n.overlap_reason, 6, 8), substr(n.cancel_reason, 6, 8))) THEN
        RAISE EXCEPTION 'appointment: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'appointment_key_not_retired';
    END IF;
    RETURN NULL;
END
$function$;
CREATE OR REPLACE FUNCTION secondfactor_key_not_retired()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF EXISTS (SELECT 1 FROM retiredkey r JOIN written n ON r.key_id = substr(n.secret, 6, 8)) THEN
        RAISE EXCEPTION 'secondfactor: sealed under a retired key'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'secondfactor_key_not_retired';
    END IF;
    RETURN NULL;
END
$function$;
