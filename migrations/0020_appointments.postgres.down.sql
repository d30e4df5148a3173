DROP TABLE availability;
DROP TABLE appointment;
DROP TABLE appointmentseries;
DROP FUNCTION appointment_no_overlap();
DROP FUNCTION appointment_key_not_retired();
DO $$
BEGIN
    DROP EXTENSION btree_gist;
EXCEPTION WHEN dependent_objects_still_exist THEN
    NULL; -- somebody else's tables need it
END
$$;
