package lint_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"novamind/migrations"
	"novamind/migrations/lint"
)

const (
	postgres = migrations.Postgres
	sqlite   = migrations.SQLite
)

func replaceOnce(text, part, instead string) string {
	if strings.Count(text, part) != 1 {
		panic(fmt.Sprintf("%q stands there %d times", part, strings.Count(text, part)))
	}
	return strings.Replace(text, part, instead, 1)
}

// judged returns the verdict on a change of the base schema.
func judged(t *testing.T, engine, up, down string, more ...func(fstest.MapFS)) lint.Report {
	t.Helper()
	if down == "" {
		down = "-- migrate:irreversible an example needs no way back"
	}
	fsys := fstest.MapFS{migrations.ReleasedFile: {Data: []byte("# all\n\n" + releasedBase)}}
	for _, e := range []string{postgres, sqlite} {
		write := func(id, up, down string) {
			fsys[id+"."+e+".up.sql"] = &fstest.MapFile{Data: []byte(up)}
			fsys[id+"."+e+".down.sql"] = &fstest.MapFile{Data: []byte(down)}
		}
		write("0001_base", map[string]string{postgres: postgresBase, sqlite: sqliteBase}[e], "DROP TABLE room; DROP TABLE patient;")
		if e == engine {
			write("0002_change", up, down)
		} else {
			write("0002_change", "SELECT 1;", "SELECT 1;")
		}
	}
	for _, change := range more {
		change(fsys)
	}
	sums, err := migrations.Sums(fsys)
	require.NoError(t, err)
	fsys[migrations.SumsFile] = &fstest.MapFile{Data: sums}
	report, err := lint.Check(t.Context(), fsys, "shelf", "staff")
	require.NoError(t, err)
	return report
}

func rules(findings []lint.Finding) []string {
	var codes []string
	for _, f := range findings {
		codes = append(codes, f.Rule)
	}
	return codes
}

// Each rule objects to its bad examples, and no rule objects to the good ones.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, rule := range lint.Rules() {
		require.NotEmpty(t, examples[rule.Code], rule.Code)
		for i, e := range examples[rule.Code] {
			t.Run(fmt.Sprintf("%s/%s/%d", rule.Code, e.engine, i), func(t *testing.T) {
				t.Parallel()
				require.Contains(t, rules(judged(t, e.engine, e.bad, e.badDown).Findings), rule.Code)
				require.Empty(t, judged(t, e.engine, e.good, e.goodDown).Findings)
			})
		}
	}
	require.Len(t, examples, len(lint.Rules()))
}

// Every finding in the program's own migrations is excused.
func TestOurMigrations(t *testing.T) {
	t.Parallel()
	report, err := lint.Check(t.Context(), migrations.Files(), "account", "apikey", "availability")
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	require.NotEmpty(t, report.Allowed)
}

func TestFindingsSayWhere(t *testing.T) {
	t.Parallel()
	report := judged(t, postgres, "-- first\nCREATE TABLE kin (\n    id bigint,\n    last_name text\n);", "")
	require.Equal(t, []lint.Finding{{
		File: "0002_change.postgres.up.sql", Line: 4, Rule: "plain-phi", Message: "kin.last_name is called like PHI and is not sealed",
		Instead: report.Findings[0].Instead,
	}}, report.Findings)
	report = judged(t, sqlite, "CREATE TABLE k (\n    id integer,\n    last_name text\n);\nALTER TABLE k RENAME TO kin;", "")
	require.Len(t, report.Findings, 1)
	require.Equal(t, 3, report.Findings[0].Line)
	report = judged(t, postgres, "DO $$\nBEGIN\n    PERFORM 1;\n    DROP INDEX room_colour_idx;\nEND $$;", "")
	require.Len(t, report.Findings, 1)
	require.Equal(t, 4, report.Findings[0].Line)
}

// SQLite has no type for a UUID; PostgreSQL's column tells.
func TestAUUIDInTextIsNone(t *testing.T) {
	t.Parallel()
	report := judged(t, sqlite, "ALTER TABLE patient ADD COLUMN doctor text;", "", func(fsys fstest.MapFS) {
		fsys["0002_change.postgres.up.sql"].Data = []byte("ALTER TABLE patient ADD COLUMN doctor uuid;")
		fsys["0002_change.postgres.down.sql"].Data = []byte("ALTER TABLE patient DROP COLUMN doctor;")
	})
	require.Empty(t, report.Findings)
}

// SQLite keeps the comments within a CREATE TABLE.
func TestCommentsAreNoColumns(t *testing.T) {
	t.Parallel()
	const kept = `CREATE TABLE bed ( -- a (bed)
    id integer, -- of a name
    /* last_name text, */ made datetime -- STRICT
) STRICT; -- )`
	report := judged(t, sqlite, strings.ReplaceAll(kept, "datetime", "integer"), "")
	require.Empty(t, report.Findings)
}

// A statement that can't be parsed hides no other finding.
func TestTheRestOfAFileIsJudged(t *testing.T) {
	t.Parallel()
	report := judged(t, postgres, "FROBNICATE room;\nCREATE INDEX i ON room (floor);", "")
	require.Equal(t, []string{"not-judged", "index-not-concurrently"}, rules(report.Findings))
	require.Equal(t, 2, report.Findings[1].Line)
}

// If SQLite can't execute a version, the later versions are not judged, and the report says so.
func TestSQLiteStopsWhereItCantGoOn(t *testing.T) {
	t.Parallel()
	report := judged(t, sqlite, "NONSENSE;", "", func(fsys fstest.MapFS) {
		for _, e := range []string{postgres, sqlite} {
			fsys["0003_more."+e+".up.sql"] = &fstest.MapFile{Data: []byte("SELECT 1;")}
			fsys["0003_more."+e+".down.sql"] = &fstest.MapFile{Data: []byte("SELECT 1;")}
		}
	})
	require.Equal(t, []string{"not-judged", "not-judged", "not-judged", "not-judged"}, rules(report.Findings))
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	const reason = " lint:allow plain-phi of staff, not of patients"
	for name, test := range map[string]struct {
		sql  string
		want []string
	}{
		"before the line":        {"CREATE TABLE kin (\n--" + reason + "\nlast_name text,\nemail text);", []string{"plain-phi"}},
		"on the line":            {"CREATE TABLE kin (\nlast_name text, --" + reason + "\nemail text);", []string{"plain-phi"}},
		"of one column":          {"-- lint:allow plain-phi kin.last_name of staff, not of patients\nCREATE TABLE kin (last_name text, email text);", []string{"plain-phi"}},
		"of a column, no reason": {"-- lint:allow plain-phi kin.email staff\nCREATE TABLE kin (email text);", []string{"plain-phi", "bad-exception"}},
		"of no column there is":  {"-- lint:allow plain-phi kin.mail of staff, not of patients\nCREATE TABLE kin (email text);", []string{"plain-phi", "bad-exception"}},
		"before the statement":   {"--" + reason + "\nCREATE TABLE kin (\nlast_name text,\nemail text);", nil},
		"with comments between":  {"--" + reason + "\n-- staff\n\nCREATE TABLE kin (\nlast_name text,\nemail text);", nil},
		"of another rule":        {"-- lint:allow if-not-exists for some reason\nCREATE TABLE kin (last_name text);", []string{"bad-exception", "plain-phi"}},
		"without a reason":       {"-- lint:allow plain-phi\nCREATE TABLE kin (last_name text);", []string{"bad-exception", "plain-phi"}},
		"with a word for one":    {"-- lint:allow plain-phi ok\nCREATE TABLE kin (last_name text);", []string{"bad-exception", "plain-phi"}},
		"in a string":            {"SELECT '\n--" + reason + "\n'; CREATE TABLE kin (last_name text);", []string{"plain-phi"}},
		"in a block comment":     {"/*\n--" + reason + "\n*/ CREATE TABLE kin (last_name text);", []string{"plain-phi"}},
		"of an exception":        {"-- lint:allow bad-exception none of these matter\n-- lint:allow nothing at all\nSELECT 1;", []string{"bad-exception", "bad-exception"}},
		"for what comes after":   {"CREATE TABLE kin (last_name text);\n--" + reason, []string{"plain-phi", "bad-exception"}},
		"of nothing any more":    {"--" + reason + "\nCREATE TABLE kin (colour text);", []string{"bad-exception"}},
		"twice for the same":     {"--" + reason + "\nCREATE TABLE kin (last_name text); --" + reason, []string{"bad-exception"}},
		"for another statement":  {"--" + reason + "\nCREATE TABLE kin (\nlast_name text);\nCREATE TABLE aunt (last_name text);", []string{"plain-phi"}},
		"with a carriage return": {"--" + reason + "\r\nCREATE TABLE kin (last_name text);", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, engine := range []string{postgres, sqlite} {
				require.ElementsMatch(t, test.want, rules(judged(t, engine, test.sql, "").Findings), engine)
			}
		})
	}
}

func TestListedExceptions(t *testing.T) {
	t.Parallel()
	listed := func(text string) func(fstest.MapFS) {
		return func(fsys fstest.MapFS) { fsys[migrations.ExceptionsFile] = &fstest.MapFile{Data: []byte(text)} }
	}
	const sql = "SELECT 1;\nCREATE TABLE kin (last_name text);"
	report := judged(t, postgres, sql, "", listed("# frozen\n\n0002_change.postgres.up.sql:2 plain-phi  of staff, not of patients\n"))
	require.Empty(t, report.Findings)
	require.Equal(t, "of staff, not of patients", report.Allowed[0].Reason)
	require.Equal(t, "plain-phi", report.Allowed[0].Rule)

	report = judged(t, postgres, sql, "", listed("0002_change.postgres.up.sql:1 plain-phi of staff\n0002_change.postgres.up.sql:2 plain-phi\n"))
	require.Equal(t, []string{"plain-phi", "bad-exception", "bad-exception"}, rules(report.Findings))
	require.Equal(t, migrations.ExceptionsFile, report.Findings[1].File)
	require.Equal(t, 2, report.Findings[2].Line)
}

func TestListsThatCantBeRead(t *testing.T) {
	t.Parallel()
	for file, text := range map[string]string{migrations.ExceptionsFile: "0001_x.sql plain-phi so be it", migrations.ReleasedFile: "patient"} {
		fsys := fstest.MapFS{file: {Data: []byte(text)}, migrations.SumsFile: {}}
		_, err := lint.Check(t.Context(), fsys)
		require.ErrorContains(t, err, file+": line 1 is not ")
	}
}

// The documentation has each rule as the lint states it, and no other.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/migrations-lint.md")
	require.NoError(t, err)
	var want []string
	for _, r := range lint.Rules() {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |", r.Code, r.Bad, r.Why, r.Instead))
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "| `") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	require.Equal(t, want, got)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(want))), len(want))
}

// Any file is judged without a panic or an error.
func FuzzCheck(f *testing.F) {
	for _, all := range examples {
		for _, e := range all {
			f.Add(e.engine == postgres, e.bad, e.badDown)
			f.Add(e.engine == postgres, e.good, e.goodDown)
		}
	}
	f.Fuzz(func(t *testing.T, onPostgres bool, up, down string) {
		engine := sqlite
		if onPostgres {
			engine = postgres
		}
		if !onPostgres && (migrations.Declares(sqlite, up, migrations.NoTransaction) || migrations.Declares(sqlite, down, migrations.NoTransaction)) {
			t.Skip("refused before it is judged")
		}
		for _, finding := range judged(t, engine, up, down).Findings {
			require.NotEmpty(t, finding.Rule)
			require.Positive(t, finding.Line)
		}
	})
}
