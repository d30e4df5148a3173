package lint_test

// The schema that examples change. All of it is released, except room.spare.
const (
	postgresBase = `
CREATE TABLE patient (
    id uuid CONSTRAINT patient_pkey PRIMARY KEY,
    first_name text NOT NULL,
    CONSTRAINT patient_first_name_sealed CHECK (COALESCE(first_name ~ '^phi1:[0-9a-f]+:[A-Za-z0-9_-]+$', false))
);
CREATE TABLE room (
    id bigint CONSTRAINT room_pkey PRIMARY KEY,
    colour varchar(20),
    floor numeric(4,1),
    spare integer,
    patient_id uuid
);
CREATE INDEX room_colour_idx ON room (colour);
CREATE FUNCTION room_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER room_kept BEFORE DELETE ON room FOR EACH ROW EXECUTE FUNCTION room_kept();
`
	sqliteBase = `
CREATE TABLE patient (
    id text NOT NULL CONSTRAINT patient_pkey PRIMARY KEY,
    first_name text NOT NULL CONSTRAINT patient_first_name_sealed CHECK (first_name GLOB 'phi1:*')
);
CREATE TABLE room (
    id integer NOT NULL CONSTRAINT room_pkey PRIMARY KEY,
    colour text COLLATE NOCASE,
    floor numeric CONSTRAINT room_floor_check CHECK (floor > -3),
    spare integer,
    patient_id text CONSTRAINT room_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE
);
CREATE INDEX room_colour_idx ON room (colour);
CREATE TRIGGER room_kept BEFORE DELETE ON room BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TABLE shelf (id integer NOT NULL CONSTRAINT shelf_pkey PRIMARY KEY) WITHOUT ROWID;
`
	releasedBase = "patient.id\npatient.first_name\nroom.id\nroom.colour\nroom.floor\nroom.patient_id\n"
)

// shelfRebuiltWith makes shelf anew, with a value for its only column.
func shelfRebuiltWith(value string) string {
	return "CREATE TABLE s (id integer NOT NULL CONSTRAINT shelf_pkey PRIMARY KEY) WITHOUT ROWID; INSERT INTO s SELECT " + value +
		" FROM shelf; DROP TABLE shelf; ALTER TABLE s RENAME TO shelf;"
}

// example is a pair of changes of that schema: a rule objects to one, and no rule objects to the other.
type example struct {
	engine    string
	bad, good string // up files
	badDown   string // the down file of bad, if the fault is there
	goodDown  string
}

const (
	alone   = "-- migrate:no-transaction\n"
	rebuilt = `CREATE TABLE room_new (
    id integer NOT NULL CONSTRAINT room_pkey PRIMARY KEY,
    colour text COLLATE NOCASE,
    floor numeric CONSTRAINT room_floor_check CHECK (floor > -3),
    spare integer,
    patient_id text CONSTRAINT room_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE
);
INSERT INTO room_new SELECT * FROM room;
DROP TABLE room;
ALTER TABLE room_new RENAME TO room;
CREATE INDEX room_colour_idx ON room (colour);
CREATE TRIGGER room_kept BEFORE DELETE ON room BEGIN SELECT RAISE(ABORT, 'kept'); END;`
)

// without returns the good rebuild of room with a part of it replaced.
func without(part, instead string) string { return replaceOnce(rebuilt, part, instead) }

var examples = map[string][]example{
	"index-not-concurrently": {
		{postgres, "CREATE INDEX room_floor_idx ON room (floor);", alone + "CREATE INDEX CONCURRENTLY IF NOT EXISTS room_floor_idx ON room (floor);", "", ""},
		{
			postgres, "CREATE UNIQUE INDEX room_floor_key ON public.room (floor);",
			"CREATE TABLE bed (id bigint CONSTRAINT bed_pkey PRIMARY KEY, room_id bigint); CREATE INDEX bed_room_id_idx ON bed (room_id);", "", "",
		},
		{postgres, "DO $$ BEGIN IF 1 = 1 THEN CREATE INDEX room_floor_idx ON room (floor); END IF; END $$;", "DO $$ BEGIN PERFORM 1; END $$;", "", ""},
	},
	"drop-index-not-concurrently": {
		{postgres, "DROP INDEX room_colour_idx;", alone + "DROP INDEX CONCURRENTLY IF EXISTS room_colour_idx;", "", ""},
	},
	"concurrently-in-transaction": {
		{postgres, "CREATE INDEX CONCURRENTLY i ON room (floor);", alone + "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON room (floor);", "", ""},
		{postgres, "DROP INDEX CONCURRENTLY room_colour_idx;", alone + "DROP INDEX CONCURRENTLY IF EXISTS room_colour_idx;", "", ""},
		{postgres, "REINDEX INDEX CONCURRENTLY room_colour_idx;", alone + "REINDEX INDEX CONCURRENTLY room_colour_idx;", "", ""},
		{postgres, "VACUUM room;", "ANALYZE room;", "", ""},
		{postgres, "CREATE TABLE bed (id bigint);", "CREATE TABLE bed (id bigint);", "DROP INDEX CONCURRENTLY room_colour_idx; DROP TABLE bed;", "DROP TABLE bed;"},
	},
	"unique-builds-index": {
		{
			postgres, "ALTER TABLE room ADD CONSTRAINT room_floor_key UNIQUE (floor);",
			"ALTER TABLE room ADD CONSTRAINT room_floor_key UNIQUE USING INDEX room_floor_key;", "", "",
		},
		{postgres, "ALTER TABLE room ADD CONSTRAINT room_x EXCLUDE (floor WITH =);", "CREATE TABLE bed (id bigint, CONSTRAINT bed_x EXCLUDE (id WITH =));", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN door integer CONSTRAINT room_door_key UNIQUE;", "ALTER TABLE room ADD COLUMN door integer;", "", ""},
	},
	"not-null-without-default": {
		{postgres, "ALTER TABLE room ADD COLUMN beds integer NOT NULL;", "ALTER TABLE room ADD COLUMN beds integer NOT NULL DEFAULT 1;", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN beds integer NOT NULL DEFAULT NULL;", "ALTER TABLE room ADD COLUMN beds integer;", "", ""},
		{
			sqlite, replaceOnce(without("spare integer,", "spare integer, beds integer NOT NULL,"), "SELECT *", "SELECT id, colour, floor, spare, 1, patient_id"),
			"ALTER TABLE room ADD COLUMN beds integer NOT NULL DEFAULT 1;", "", "",
		},
	},
	"set-not-null": {
		{postgres, "ALTER TABLE room ALTER COLUMN floor SET NOT NULL;", "CREATE TABLE bed (id bigint); ALTER TABLE bed ALTER COLUMN id SET NOT NULL;", "", ""},
		{
			postgres, "ALTER TABLE room ADD CONSTRAINT room_floor_set CHECK (floor IS NOT NULL) NOT VALID; ALTER TABLE room ALTER COLUMN floor SET NOT NULL;",
			alone + "ALTER TABLE room DROP CONSTRAINT IF EXISTS room_floor_set, ADD CONSTRAINT room_floor_set CHECK (floor IS NOT NULL) NOT VALID;" +
				"ALTER TABLE room VALIDATE CONSTRAINT room_floor_set; ALTER TABLE room ALTER COLUMN floor SET NOT NULL;", "", "",
		},
	},
	"foreign-key-not-valid": {
		{
			postgres, "ALTER TABLE room ADD CONSTRAINT room_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES patient (id);",
			"ALTER TABLE room ADD CONSTRAINT room_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES patient (id) NOT VALID;", "", "",
		},
		{
			postgres, "ALTER TABLE room ADD COLUMN next bigint DEFAULT 1 CONSTRAINT room_next_fkey REFERENCES room (id);",
			"ALTER TABLE room ADD COLUMN next bigint CONSTRAINT room_next_fkey REFERENCES room (id);", "", "",
		},
	},
	"check-not-valid": {
		{postgres, "ALTER TABLE room ADD CONSTRAINT room_floor_check CHECK (floor > 0);", "ALTER TABLE room ADD CONSTRAINT room_floor_check CHECK (floor > 0) NOT VALID;", "", ""},
		{
			postgres, "ALTER TABLE room ADD COLUMN beds integer CONSTRAINT room_beds_check CHECK (beds > 0);",
			"ALTER TABLE room ADD COLUMN beds integer; ALTER TABLE room ADD CONSTRAINT room_beds_check CHECK (beds > 0) NOT VALID;", "", "",
		},
	},
	"validate-in-same-transaction": {
		{
			postgres, "ALTER TABLE room ADD CONSTRAINT room_floor_check CHECK (floor > 0) NOT VALID; ALTER TABLE room VALIDATE CONSTRAINT room_floor_check;",
			alone + "ALTER TABLE room DROP CONSTRAINT IF EXISTS room_floor_check, ADD CONSTRAINT room_floor_check CHECK (floor > 0) NOT VALID; ALTER TABLE room VALIDATE CONSTRAINT room_floor_check;", "", "",
		},
	},
	"volatile-default": {
		{postgres, "ALTER TABLE room ADD COLUMN tag uuid DEFAULT gen_random_uuid();", "ALTER TABLE room ADD COLUMN tag uuid; ALTER TABLE room ALTER COLUMN tag SET DEFAULT gen_random_uuid();", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN made timestamptz(6) DEFAULT clock_timestamp();", "ALTER TABLE room ADD COLUMN made timestamptz(6) DEFAULT now();", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN n bigserial;", "CREATE TABLE bed (n bigserial);", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY;", "CREATE TABLE bed (n bigint GENERATED ALWAYS AS IDENTITY);", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN n bigint GENERATED ALWAYS AS (id + 1) STORED;", "ALTER TABLE room ADD COLUMN n bigint DEFAULT 1 + 1;", "", ""},
	},
	"type-rewrite": {
		{postgres, "ALTER TABLE room ALTER COLUMN colour TYPE varchar(10);", "ALTER TABLE room ALTER COLUMN colour TYPE varchar(30);", "", ""},
		{postgres, "ALTER TABLE room ALTER COLUMN spare TYPE bigint;", "ALTER TABLE room ALTER COLUMN colour TYPE text;", "", ""},
		{postgres, "ALTER TABLE room ALTER COLUMN floor TYPE numeric(5,2);", "ALTER TABLE room ALTER COLUMN floor TYPE numeric(6,1);", "", ""},
		{postgres, "ALTER TABLE room ALTER COLUMN colour TYPE text USING lower(colour);", "ALTER TABLE room ALTER COLUMN floor TYPE numeric;", "", ""},
		{postgres, "ALTER TABLE elsewhere ALTER COLUMN x TYPE text;", "CREATE TABLE bed (x integer); ALTER TABLE bed ALTER COLUMN x TYPE bigint;", "", ""},
	},
	"lock-timeout": {
		{postgres, "SET LOCAL lock_timeout = 0; ALTER TABLE room ADD COLUMN beds integer;", "SET LOCAL lock_timeout = '2s'; ALTER TABLE room ADD COLUMN beds integer;", "", ""},
		{postgres, "SET lock_timeout = '2min';", "SET lock_timeout = '1min';", "", ""},
		{postgres, "RESET ALL;", "SET statement_timeout = 0;", "", ""},
		{postgres, "RESET lock_timeout;", "RESET statement_timeout;", "", ""},
		{postgres, "SELECT set_config('lock_timeout', '0', true);", "SELECT set_config('work_mem', '64MB', true);", "", ""},
		{postgres, alone + "SET LOCAL lock_timeout = '5s';", alone + "SET lock_timeout = '5s';", "", ""},
		{
			postgres, alone + "SET lock_timeout = 0; ALTER TABLE room ADD COLUMN IF NOT EXISTS beds integer;",
			alone + "SET lock_timeout = 1000; ALTER TABLE room ADD COLUMN IF NOT EXISTS beds integer;", "", "",
		},
	},
	"locks-table": {
		{postgres, alone + "VACUUM FULL room;", alone + "VACUUM room;", "", ""},
		{postgres, "LOCK TABLE room;", "SELECT 1;", "", ""},
		{postgres, alone + "REINDEX TABLE room;", alone + "REINDEX TABLE CONCURRENTLY room;", "", ""},
		{postgres, "ALTER TABLE room SET TABLESPACE fast;", "CREATE TABLE bed (id bigint); ALTER TABLE bed SET TABLESPACE fast;", "", ""},
	},
	"backfill-with-ddl": {
		{
			postgres, "ALTER TABLE room ADD COLUMN beds integer; UPDATE room SET beds = 1 WHERE id < 100;",
			"UPDATE room SET spare = 1 WHERE id < 100;", "", "",
		},
		{
			postgres, "CREATE TABLE bed (id bigint); INSERT INTO bed SELECT id FROM room; ALTER TABLE room ADD COLUMN beds integer;",
			"CREATE TABLE bed (id bigint); INSERT INTO bed SELECT id FROM room;", "", "",
		},
		{
			postgres, "ALTER TABLE room ADD COLUMN beds integer; WITH old AS (DELETE FROM room WHERE id < 0 RETURNING id) SELECT count(*) FROM old;",
			"ALTER TABLE room ADD COLUMN beds integer; INSERT INTO room (id) VALUES (1); CREATE TABLE bed (id bigint); INSERT INTO bed VALUES (1); UPDATE bed SET id = 2 WHERE id = 1;", "", "",
		},
	},
	"whole-table-update": {
		{postgres, "DELETE FROM room;", "ALTER TABLE room ADD COLUMN beds integer; WITH new AS (SELECT 1 AS id) INSERT INTO room (id) SELECT id FROM new;", "", ""},
		{postgres, "UPDATE room SET spare = 1;", "UPDATE room SET spare = 1 WHERE spare IS NULL;", "", ""},
		{postgres, "DELETE FROM room;", "CREATE TABLE bed (id bigint); DELETE FROM bed;", "", ""},
		{postgres, "DELETE FROM room WHERE true;", "DELETE FROM room WHERE id < 0;", "", ""},
		{postgres, "UPDATE room SET spare = 1 WHERE 1 = 1;", "UPDATE room SET spare = 1 WHERE spare IS NULL;", "", ""},
		{postgres, "WITH d AS (DELETE FROM room RETURNING 1) SELECT count(*) FROM d;", "WITH d AS (DELETE FROM room WHERE id < 0 RETURNING 1) SELECT count(*) FROM d;", "", ""},
	},
	"still-read": {
		{postgres, "ALTER TABLE room DROP COLUMN colour;", "ALTER TABLE room DROP COLUMN spare;", "", ""},
		{postgres, "ALTER TABLE room RENAME COLUMN colour TO paint;", "ALTER TABLE room RENAME COLUMN spare TO paint;", "", ""},
		{postgres, "ALTER TABLE room RENAME TO place;", "CREATE TABLE bed (id bigint); ALTER TABLE bed RENAME TO place;", "", ""},
		{postgres, "ALTER TABLE room SET SCHEMA old;", "CREATE TABLE bed (id bigint); ALTER TABLE bed SET SCHEMA old;", "", ""},
		{postgres, "DROP TABLE room;", "CREATE TABLE bed (id bigint); DROP TABLE bed;", "", ""},
		{postgres, "DO $$ BEGIN ALTER TABLE room DROP COLUMN colour; END $$;", "DO $$ BEGIN ALTER TABLE room DROP COLUMN spare; END $$;", "", ""},
		{sqlite, "ALTER TABLE room RENAME COLUMN colour TO paint;", "ALTER TABLE room RENAME COLUMN spare TO paint;", "", ""},
		{sqlite, "DROP TABLE room;", "CREATE TABLE bed (id integer); DROP TABLE bed;", "", ""},
		{
			sqlite, "CREATE TABLE room_new (id integer NOT NULL CONSTRAINT room_pkey PRIMARY KEY); INSERT INTO room_new SELECT id FROM room; DROP TABLE room; ALTER TABLE room_new RENAME TO room;",
			replaceOnce(without("    spare integer,\n", ""), "SELECT *", "SELECT id, colour, floor, patient_id"), "", "",
		},
	},
	"truncates": {
		{postgres, "TRUNCATE room;", "CREATE TABLE bed (id bigint); TRUNCATE bed;", "", ""},
	},
	"drop-cascade": {
		{postgres, "DROP FUNCTION room_kept CASCADE;", "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION one;", "", ""},
		{postgres, "ALTER TABLE room DROP COLUMN spare CASCADE;", "ALTER TABLE room DROP COLUMN spare RESTRICT;", "", ""},
	},
	"irreversible": {
		{postgres, "ALTER TABLE room ADD COLUMN beds integer;", "SELECT 1;", "SELECT 1;", "SELECT 1;"},
		{sqlite, "DROP TRIGGER room_kept; CREATE TRIGGER room_kept BEFORE DELETE ON room BEGIN SELECT RAISE(ABORT, 'no'); END;", "ALTER TABLE room ADD COLUMN beds integer;", "-- nothing", "-- migrate:irreversible the beds are counted\n"},
		{postgres, "ALTER TABLE room ADD COLUMN beds integer;", "ALTER TABLE room ADD COLUMN beds integer;", "-- migrate:irreversible", "ALTER TABLE room DROP COLUMN beds;"},
	},
	"plain-phi": {
		{postgres, "ALTER TABLE patient ADD COLUMN hobby text;", "ALTER TABLE patient ADD COLUMN visits bigint;", "", ""},
		{postgres, "CREATE TABLE visit (id bigint CONSTRAINT visit_pkey PRIMARY KEY, reason varchar(100));", "CREATE TABLE visit (id bigint CONSTRAINT visit_pkey PRIMARY KEY, kind varchar(100));", "", ""},
		{postgres, "CREATE TABLE kin (birthday date);", "CREATE TABLE kin (starts date);", "", ""},
		{
			postgres, "CREATE TABLE kin (last_name text, CONSTRAINT kin_checked CHECK (last_name ~ '^phi1:'));",
			"CREATE TABLE kin (last_name text, CONSTRAINT kin_last_name_sealed CHECK (COALESCE(last_name ~ '^phi1:', false)));", "", "",
		},
		{postgres, "CREATE TABLE kin (last_name text, CONSTRAINT kin_last_name_sealed CHECK (true));", "CREATE TABLE kin (named_at timestamptz(6));", "", ""},
		{sqlite, "ALTER TABLE patient ADD COLUMN hobby text;", "ALTER TABLE patient ADD COLUMN visits integer;", "", ""},
		{
			sqlite, "CREATE TABLE kin (last_name text);",
			"CREATE TABLE kin (last_name text CONSTRAINT kin_last_name_sealed CHECK (last_name GLOB 'phi1:*'));", "", "",
		},
	},
	"sealed-dropped": {
		{postgres, "-- migrate:requires-backup room\nDROP TABLE patient;", "ALTER TABLE room DROP COLUMN spare;", "", ""},
		{postgres, "ALTER TABLE patient DROP COLUMN first_name;", "-- migrate:requires-backup patient\n-- lint:allow still-read this release was never out\nALTER TABLE patient DROP COLUMN first_name;", "", ""},
		{
			sqlite, "CREATE TABLE p (id text); DROP TABLE patient; ALTER TABLE p RENAME TO patient;",
			"-- migrate:requires-backup patient\nCREATE TABLE p (id text CONSTRAINT patient_pkey PRIMARY KEY);\n-- lint:allow still-read this release was never out\nDROP TABLE patient;\nALTER TABLE p RENAME TO patient;", "", "",
		},
	},
	"sealed-renamed": {
		{
			postgres, "-- lint:allow still-read this release was never out\nALTER TABLE patient RENAME COLUMN first_name TO given_name;",
			"ALTER TABLE room RENAME COLUMN spare TO beds;", "", "",
		},
		{postgres, "ALTER TABLE patient RENAME TO person;", "CREATE TABLE kin (id bigint); ALTER TABLE kin RENAME TO aunt;", "", ""},
		{sqlite, "ALTER TABLE patient RENAME COLUMN first_name TO given_name;", "ALTER TABLE room RENAME COLUMN spare TO beds;", "", ""},
		{sqlite, "ALTER TABLE patient RENAME TO person;", rebuilt, "", ""},
	},
	"vouched-rows": {
		{postgres, "ALTER TABLE patient ADD COLUMN visits integer NOT NULL DEFAULT 0;", "ALTER TABLE patient ADD COLUMN visits integer;", "", ""},
		{postgres, "ALTER TABLE patient ADD COLUMN visits integer DEFAULT 1;", "ALTER TABLE room ADD COLUMN visits integer DEFAULT 1;", "", ""},
		{postgres, "UPDATE patient SET id = id WHERE id IS NULL;", "UPDATE room SET spare = 1 WHERE spare IS NULL;", "", ""},
		{postgres, "WITH u AS (UPDATE patient SET id = id WHERE id IS NULL RETURNING 1) SELECT count(*) FROM u;", "SELECT count(*) FROM patient;", "", ""},
		{
			postgres, "MERGE INTO patient p USING room r ON p.id = r.patient_id WHEN MATCHED THEN UPDATE SET id = p.id;",
			"INSERT INTO room (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET spare = 1;", "", "",
		},
		{sqlite, "ALTER TABLE patient ADD COLUMN visits integer NOT NULL DEFAULT 0;", "ALTER TABLE patient ADD COLUMN visits integer;", "", ""},
		{sqlite, "ALTER TABLE shelf ADD COLUMN visits integer NOT NULL DEFAULT 0;", "ALTER TABLE room ADD COLUMN visits integer NOT NULL DEFAULT 0;", "", ""},
		{sqlite, "UPDATE OR IGNORE main.patient SET id = id WHERE id IS NULL;", "UPDATE room SET spare = 1 WHERE spare IS NULL;", "", ""},
		{
			sqlite, shelfRebuiltWith("COALESCE(id, 0)"), shelfRebuiltWith("id"), "", "",
		},
	},
	"seal-lost": {
		{
			postgres, "ALTER TABLE patient DROP CONSTRAINT patient_first_name_sealed, ADD CONSTRAINT patient_first_name_sealed CHECK (first_name LIKE 'phi1:%' OR true) NOT VALID;",
			"ALTER TABLE patient DROP CONSTRAINT patient_first_name_sealed, ADD CONSTRAINT patient_first_name_sealed CHECK (first_name IS NULL OR first_name LIKE 'phi1:%') NOT VALID;", "", "",
		},
		{
			sqlite, "CREATE TABLE p (id text CONSTRAINT patient_pkey PRIMARY KEY, first_name text NOT NULL, CONSTRAINT patient_first_name_sealed CHECK (first_name GLOB 'phi1:*' OR 1)); DROP TABLE patient; ALTER TABLE p RENAME TO patient;",
			"CREATE TABLE p (id text CONSTRAINT patient_pkey PRIMARY KEY, first_name text NOT NULL, CONSTRAINT patient_first_name_sealed CHECK (first_name IS NULL OR first_name GLOB 'phi1:*')); DROP TABLE patient; ALTER TABLE p RENAME TO patient;", "", "",
		},
		{
			postgres, "ALTER TABLE patient DROP CONSTRAINT patient_first_name_sealed, ADD CONSTRAINT patient_first_name_sealed CHECK (first_name <> '') NOT VALID;",
			"ALTER TABLE room DROP COLUMN spare;", "", "",
		},
		{
			postgres, "ALTER TABLE patient DROP CONSTRAINT patient_first_name_sealed;",
			"ALTER TABLE patient DROP CONSTRAINT patient_first_name_sealed, ADD CONSTRAINT patient_first_name_sealed CHECK (first_name LIKE 'phi1:%') NOT VALID;", "", "",
		},
		{
			sqlite, "CREATE TABLE p (id text CONSTRAINT patient_pkey PRIMARY KEY, first_name text NOT NULL); DROP TABLE patient; ALTER TABLE p RENAME TO patient;",
			"CREATE TABLE p (id text CONSTRAINT patient_pkey PRIMARY KEY, first_name text NOT NULL, CONSTRAINT patient_first_name_sealed CHECK (first_name GLOB 'phi1:*')); DROP TABLE patient; ALTER TABLE p RENAME TO patient;", "", "",
		},
	},
	"trigger-lost": {
		{
			postgres, "DROP TRIGGER room_kept ON room;",
			"DROP TRIGGER room_kept ON room; CREATE TRIGGER room_stays BEFORE DELETE ON room FOR EACH STATEMENT EXECUTE FUNCTION room_kept();", "", "",
		},
		{postgres, "ALTER TABLE room DISABLE TRIGGER room_kept;", "ALTER TABLE room DISABLE TRIGGER room_kept; ALTER TABLE room ENABLE ALWAYS TRIGGER room_kept;", "", ""},
		{
			postgres, "CREATE FUNCTION let_go() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'; DROP TRIGGER room_kept ON room;" +
				"CREATE TRIGGER room_let_go BEFORE DELETE ON room FOR EACH ROW EXECUTE FUNCTION let_go();",
			"ALTER TRIGGER room_kept ON room RENAME TO room_stays;", "", "",
		},
		{postgres, "ALTER TABLE room DISABLE TRIGGER ALL;", "ALTER TABLE room DISABLE TRIGGER USER; ALTER TABLE room ENABLE TRIGGER ALL;", "", ""},
		{sqlite, without("CREATE TRIGGER room_kept BEFORE DELETE ON room BEGIN SELECT RAISE(ABORT, 'kept'); END;", ""), rebuilt, "", ""},
		{sqlite, "DROP TRIGGER room_kept;", "DROP TRIGGER room_kept; CREATE TRIGGER room_stays BEFORE DELETE ON room BEGIN SELECT RAISE(ABORT, 'kept'); END;", "", ""},
	},
	"unlogged-table": {
		{postgres, "CREATE UNLOGGED TABLE bed (id bigint);", "CREATE TABLE bed (id bigint);", "", ""},
		{postgres, "CREATE UNLOGGED TABLE bed AS SELECT 1;", "CREATE TEMPORARY TABLE bed AS SELECT 1;", "", ""},
		{postgres, "CREATE TABLE bed (id bigint); ALTER TABLE bed SET UNLOGGED;", "CREATE TABLE bed (id bigint);", "", ""},
	},
	"rebuild-loses": {
		{sqlite, without(" COLLATE NOCASE", ""), rebuilt, "", ""},
		{sqlite, without("CREATE INDEX room_colour_idx ON room (colour);", ""), "DROP INDEX room_colour_idx;", "", ""},
		{sqlite, without(" CONSTRAINT room_floor_check CHECK (floor > -3)", ""), rebuilt, "", ""},
		{sqlite, without(" CONSTRAINT room_patient_id_fkey REFERENCES patient (id) ON DELETE CASCADE", ""), rebuilt, "", ""},
		{
			sqlite, "CREATE TABLE s (id integer NOT NULL CONSTRAINT shelf_pkey PRIMARY KEY); DROP TABLE shelf; ALTER TABLE s RENAME TO shelf;",
			"CREATE TABLE s (id integer NOT NULL CONSTRAINT shelf_pkey PRIMARY KEY) WITHOUT ROWID; DROP TABLE shelf; ALTER TABLE s RENAME TO shelf;", "", "",
		},
	},
	"refused-with-rows": {
		{sqlite, "ALTER TABLE room ADD COLUMN made datetime NOT NULL DEFAULT CURRENT_TIMESTAMP;", "ALTER TABLE room ADD COLUMN beds integer NOT NULL DEFAULT (1);", "", ""},
		{sqlite, "ALTER TABLE room ADD made datetime DEFAULT (strftime('%s', 'now'));", "ALTER TABLE room ADD made datetime;", "", ""},
	},
	"pragma": {
		{sqlite, "PRAGMA foreign_keys = on;", "SELECT 1;", "", ""},
		{sqlite, "VACUUM;", "ANALYZE;", "", ""},
		{sqlite, "PRAGMA legacy_alter_table = on;", "PRAGMA legacy_alter_table = on; PRAGMA legacy_alter_table = off;", "", ""},
	},
	"unnamed-constraint": {
		{postgres, "CREATE TABLE bed (id bigint PRIMARY KEY);", "CREATE TABLE bed (id bigint CONSTRAINT bed_pkey PRIMARY KEY);", "", ""},
		{postgres, "CREATE TABLE bed (id bigint, CHECK (id > 0));", "CREATE TABLE bed (id bigint, CONSTRAINT bed_id_check CHECK (id > 0));", "", ""},
		{postgres, "ALTER TABLE room ADD FOREIGN KEY (patient_id) REFERENCES patient (id) NOT VALID;", "CREATE TABLE bed (id bigint NOT NULL DEFAULT 1);", "", ""},
		{postgres, alone + "CREATE INDEX CONCURRENTLY ON room (floor);", alone + "CREATE INDEX CONCURRENTLY IF NOT EXISTS room_floor_idx ON room (floor);", "", ""},
		{sqlite, "CREATE TABLE bed (id integer PRIMARY KEY);", "CREATE TABLE bed (id integer CONSTRAINT bed_pkey PRIMARY KEY);", "", ""},
		{sqlite, "CREATE TABLE bed (id integer, room_id integer, FOREIGN KEY (room_id) REFERENCES room (id));", "CREATE TABLE bed (id integer, room_id integer, CONSTRAINT bed_room_id_fkey FOREIGN KEY (room_id) REFERENCES room (id) ON DELETE SET NULL);", "", ""},
		{sqlite, "ALTER TABLE room ADD COLUMN bed integer REFERENCES room (id);", "ALTER TABLE room ADD COLUMN bed integer DEFAULT 1 COLLATE nocase CONSTRAINT room_bed_check CHECK (bed > 0);", "", ""},
	},
	"if-not-exists": {
		{postgres, "CREATE TABLE IF NOT EXISTS bed (id bigint);", "CREATE TABLE bed (id bigint);", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN IF NOT EXISTS beds integer;", "ALTER TABLE room ADD COLUMN beds integer;", "", ""},
		{sqlite, "CREATE INDEX IF NOT EXISTS i ON room (floor);", "CREATE INDEX i ON room (floor);", "", ""},
	},
	"not-repeatable": {
		{postgres, alone + "CREATE INDEX CONCURRENTLY i ON room (floor);", alone + "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON room (floor);", "", ""},
		{postgres, alone + "DROP INDEX CONCURRENTLY room_colour_idx;", alone + "DROP INDEX CONCURRENTLY IF EXISTS room_colour_idx;", "", ""},
		{postgres, alone + "ALTER TABLE room ADD COLUMN beds integer;", alone + "ALTER TABLE room ADD COLUMN IF NOT EXISTS beds integer;", "", ""},
		{
			postgres, alone + "ALTER TABLE room ADD CONSTRAINT c CHECK (floor > 0) NOT VALID;",
			alone + "ALTER TABLE room DROP CONSTRAINT IF EXISTS c; ALTER TABLE room ADD CONSTRAINT c CHECK (floor > 0) NOT VALID;", "", "",
		},
		{postgres, alone + "ALTER TABLE room DROP COLUMN spare;", alone + "ALTER TABLE room DROP COLUMN IF EXISTS spare;", "", ""},
		{postgres, alone + "ALTER TABLE room RENAME COLUMN spare TO beds;", alone + "UPDATE room SET spare = 1 WHERE spare IS NULL;", "", ""},
		{postgres, alone + "INSERT INTO room (id) VALUES (1);", alone + "INSERT INTO room (id) VALUES (1) ON CONFLICT DO NOTHING;", "", ""},
		{postgres, alone + "CREATE TABLE bed (id bigint);", alone + "CREATE TABLE IF NOT EXISTS bed (id bigint);", "", ""},
		{
			postgres, alone + "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE TRIGGER t BEFORE DELETE ON room EXECUTE FUNCTION f();",
			alone + "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE OR REPLACE TRIGGER t BEFORE DELETE ON room EXECUTE FUNCTION f();", "", "",
		},
	},
	"timestamp-without-zone": {
		{postgres, "CREATE TABLE bed (made timestamp(6));", "CREATE TABLE bed (made timestamptz(6));", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN made timestamp;", "ALTER TABLE room ADD COLUMN made timestamp with time zone;", "", ""},
	},
	"transaction-control": {
		{postgres, "COMMIT; BEGIN;", "SELECT 1;", "", ""},
		{postgres, "DO $$ BEGIN COMMIT; END $$;", "DO $$ BEGIN NULL; END $$;", "", ""},
		{postgres, "CREATE TABLE bed (id bigint);", "CREATE TABLE bed (id bigint);", "DROP TABLE bed; COMMIT;", "DROP TABLE bed;"},
		{sqlite, "BEGIN; CREATE TABLE bed (id integer); END;", "CREATE TABLE bed (id integer);", "", ""},
	},
	"not-judged": {
		{postgres, "ALTER TABLE room ADD COLMUN beds integer;", "ALTER TABLE room ADD COLUMN beds integer;", "", ""},
		{postgres, "DO $$ BEGIN EXECUTE 'DROP TABLE room'; END $$;", "DO $$ BEGIN RAISE NOTICE 'nothing'; END $$;", "", ""},
		{postgres, "DO $$ DECLARE r record; BEGIN FOR r IN EXECUTE 'SELECT 1' LOOP NULL; END LOOP; END $$;", "DO $$ DECLARE r record; BEGIN FOR r IN SELECT 1 LOOP NULL; END LOOP; END $$;", "", ""},
		{postgres, "DO $$ DECLARE c refcursor; BEGIN OPEN c FOR EXECUTE 'SELECT 1'; END $$;", "DO $$ DECLARE c refcursor; BEGIN OPEN c FOR SELECT 1; END $$;", "", ""},
		{postgres, "DO LANGUAGE plpython3u $$ x $$;", "DO LANGUAGE plpgsql $$ BEGIN NULL; END $$;", "", ""},
		{postgres, "DO $$ BEGIN nonsense; END $$;", "DO $$ BEGIN NULL; END $$;", "", ""},
		{postgres, "CALL tidy();", "SELECT now();", "", ""},
		{postgres, "CREATE TABLE bed AS SELECT * FROM patient;", "CREATE TEMPORARY TABLE bed AS SELECT 1;", "", ""},
		{postgres, "CREATE MATERIALIZED VIEW bed AS SELECT * FROM patient;", "CREATE VIEW bed AS SELECT id FROM room;", "", ""},
		{postgres, "CREATE TABLE bed (LIKE patient);", "CREATE TABLE bed (id bigint);", "", ""},
		{postgres, "CREATE TABLE bed () INHERITS (patient);", "CREATE TABLE bed (id bigint);", "", ""},
		{postgres, "CREATE TABLE bed (id bigint); ALTER TABLE bed INHERIT room;", "CREATE TABLE bed (id bigint);", "", ""},
		{postgres, "DROP OWNED BY somebody;", "DROP INDEX CONCURRENTLY IF EXISTS nothing; -- lint:allow concurrently-in-transaction this is an example", "", ""},
		{postgres, "COPY room TO PROGRAM 'cat';", "SELECT 1;", "", ""},
		{postgres, "CREATE RULE r AS ON DELETE TO room DO INSTEAD NOTHING;", "SELECT 1;", "", ""},
		{postgres, "GRANT SELECT ON room TO PUBLIC;", "GRANT SELECT ON room TO somebody; REVOKE ALL ON room FROM PUBLIC;", "", ""},
		{postgres, "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0);", "SELECT 1;", "", ""},
		{postgres, "ALTER ROLE somebody SET synchronous_commit = off;", "SELECT 1;", "", ""},
		{postgres, "SET session_replication_role = replica;", "SET LOCAL statement_timeout = 0;", "", ""},
		{postgres, "MERGE INTO room USING patient ON true WHEN MATCHED THEN DELETE;", "SELECT 1;", "", ""},
		{postgres, "SELECT 1;", "SELECT 1;", "DROP OWNED BY somebody;", ""},
		{postgres, "CREATE FUNCTION tidy() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT tidy();", "CREATE FUNCTION tidy() RETURNS int LANGUAGE sql AS 'SELECT 1';", "", ""},
		{postgres, "DO $$ BEGIN PERFORM room_kept(); END $$;", "DO $$ BEGIN PERFORM now(); END $$;", "", ""},
		{postgres, "ALTER TABLE room ADD COLUMN n bigint DEFAULT some_function();", "ALTER TABLE room ADD COLUMN n bigint DEFAULT 7;", "", ""},
		{sqlite, "ALTER TABLE room ADD COLUMN;", "ALTER TABLE room ADD COLUMN beds integer;", "", ""},
		{sqlite, "CREATE TABLE bed (id integer);", "CREATE TABLE bed (id integer);", "DROP TABLE beds;", "DROP TABLE bed;"},
	},
	"bad-exception": {
		{postgres, "-- lint:allow if-not-exists\nCREATE TABLE IF NOT EXISTS bed (id bigint);", "-- lint:allow if-not-exists some have it\nCREATE TABLE IF NOT EXISTS bed (id bigint);", "", ""},
		{postgres, "-- lint:allow plain-phi because it is so\nCREATE TABLE bed (id bigint);", "CREATE TABLE bed (id bigint);", "", ""},
		{sqlite, "-- lint:allow no-such-rule because it is so\nCREATE TABLE bed (id integer);", "CREATE TABLE bed (id integer); -- lint:allowed", "", ""},
	},
}
