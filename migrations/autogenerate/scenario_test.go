package autogenerate

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/inspect"
	"novamind/migrations/lint"
	"novamind/migrations/runner"
	"novamind/models"
)

// scenario is a change of the models below.
type scenario struct {
	name    string
	models  []any
	extras  map[string]Extras // by engine; nil: the same as before
	renames []string
	gone    []string
	changed []string // columns whose values after up, or after down, differ from before
	only    string   // the engine that it changes, if it does not change both
}

type key = string

// The models that every scenario starts from. Item is made of its columns, so that a scenario can replace a column.
type (
	Shelf struct {
		ID   key    `gorm:"primaryKey"`
		Name string `gorm:"not null;uniqueIndex"`
	}
	Item struct {
		ItemID
		ItemShelf
		ItemTitle
		ItemNote
		ItemCount
		ItemActive
		ItemAt
	}

	ItemID struct {
		ID key `gorm:"primaryKey"`
	}
	ItemShelf struct {
		ShelfID key    `gorm:"not null;index"`
		Shelf   *Shelf `gorm:"constraint:OnDelete:CASCADE"`
	}
	ItemTitle struct {
		Title string `gorm:"not null;check:item_title,title <> ''"`
	}
	ItemNote struct {
		Note *string `gorm:"index:item_note_idx"`
	}
	ItemCount struct {
		Count int64 `gorm:"not null;default:7"`
	}
	ItemActive struct {
		Active bool `gorm:"not null"`
	}
	ItemAt struct{ At time.Time }
)

func before() []any { return []any{&Shelf{}, &Item{}} }

// beforeExtras are the schema objects of the tables: a rebuild must not lose them.
var beforeExtras = map[string]Extras{
	migrations.Postgres: {Script: `
CREATE FUNCTION item_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF OLD.title = 'kept' THEN RAISE EXCEPTION 'kept'; END IF;
	RETURN OLD;
END $$;
CREATE TRIGGER item_kept BEFORE DELETE ON item FOR EACH ROW EXECUTE FUNCTION item_kept();
ALTER TABLE item ENABLE ALWAYS TRIGGER item_kept;
CREATE VIEW titled AS SELECT id, title FROM item;`},
	migrations.SQLite: {Script: `
CREATE TRIGGER item_kept BEFORE DELETE ON item WHEN OLD.title = 'kept'
BEGIN
	SELECT RAISE(ABORT, 'kept');
END;
CREATE TRIGGER shelf_counts AFTER INSERT ON shelf
BEGIN
	UPDATE item SET count = count WHERE shelf_id = NEW.id;
END;
CREATE VIEW titled AS SELECT id, title FROM item;`},
}

// more returns the schema objects of before with more in the script of each engine.
func more(postgres, sqlite string) map[string]Extras {
	return map[string]Extras{
		migrations.Postgres: {Script: beforeExtras[migrations.Postgres].Script + postgres},
		migrations.SQLite:   {Script: beforeExtras[migrations.SQLite].Script + sqlite},
	}
}

// desiredOf makes a schema of models and schema objects.
func desiredOf(all []any, extras map[string]Extras) Desired {
	return Desired{Models: all, Naming: models.Naming{}, Extras: func(engine string) (Extras, error) { return extras[engine], nil }}
}

func TestMain(m *testing.M) {
	status := m.Run()
	dbtest.DropScratch()
	os.Exit(status)
}

// onEachEngine runs test with a source of scratch databases of each engine.
func onEachEngine(t *testing.T, test func(t *testing.T, engine string, source scratch.Source)) {
	t.Helper()
	for _, engine := range dbtest.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			t.Parallel()
			test(t, engine.Name, dbtest.Scratch(t, engine.Name))
		})
	}
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, engine string, source scratch.Source) {
				if s.only != "" && s.only != engine {
					t.Skip("changes the other engine alone")
				}
				play(t, s, engine, source)
			})
		})
	}
}

// play generates the migration of a scenario and takes a database with rows up and down with it.
func play(t *testing.T, s scenario, engine string, source scratch.Source) {
	extras := s.extras
	if extras == nil {
		extras = beforeExtras
	}
	wanted := desiredOf(s.models, extras)
	sources := map[string]scratch.Source{engine: source}
	dir := begun(t, engine, source)
	db, drop, err := source(t.Context())
	require.NoError(t, err)
	t.Cleanup(drop)
	old := up(t, db, dir)
	fill(t, db)
	start, err := inspect.Read(t.Context(), db)
	require.NoError(t, err)
	rows := content(t, db, s.changed)

	var renames []Rename
	for _, text := range s.renames {
		r, err := ParseRename(text)
		require.NoError(t, err)
		renames = append(renames, r)
	}
	request := Request{Dir: dir, Message: s.name, Desired: wanted, Sources: sources, Renames: renames, Gone: s.gone}
	files, err := Create(t.Context(), request)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.NotContains(t, string(text), "public", "a schema may be called otherwise")
	}
	now := up(t, db, dir)

	target, dropTarget, err := source(t.Context())
	require.NoError(t, err)
	t.Cleanup(dropTarget)
	require.NoError(t, wanted.Build(t.Context(), target))
	end, err := inspect.Read(t.Context(), target)
	require.NoError(t, err)
	same(t, db, end)
	requireKept(t, rows, content(t, db, s.changed))

	told := lossesOf(t, engine, dir, now, old)
	there := tablesAndColumns(t, db)
	_, err = runnerIn(t, db, dir).DownBy(t.Context(), now-old)
	require.NoError(t, err)
	lost := without(there, tablesAndColumns(t, db))
	if strings.Contains(s.name, "Rename") || len(s.renames) > 0 {
		require.Subset(t, lost, told)
		require.Less(t, len(told), len(lost))
	} else {
		require.ElementsMatch(t, lost, told, "what the down file takes away")
	}
	same(t, db, start)
	requireKept(t, rows, content(t, db, s.changed))
}

// lossesOf returns the losses of undoing the newest versions in dir, as TABLE or TABLE.COLUMN.
func lossesOf(t *testing.T, engine, dir string, now, old int) []string {
	t.Helper()
	set, _, err := migrations.LoadPartly(os.DirFS(dir), engine)
	require.NoError(t, err)
	undoings, err := lint.Losses(t.Context(), set, now-1, old-1)
	require.NoError(t, err)
	var told []string
	for _, u := range undoings {
		require.False(t, u.Unsure, u.ID)
		for _, l := range u.Losses {
			told = append(told, strings.TrimSuffix(l.Table+"."+l.Column, "."))
		}
	}
	return told
}

// tablesAndColumns returns the tables and columns of db, as TABLE or TABLE.COLUMN.
func tablesAndColumns(t *testing.T, db *gorm.DB) []string {
	t.Helper()
	names, err := db.Migrator().GetTables()
	require.NoError(t, err)
	all := slices.Clone(names)
	for _, table := range names {
		for _, column := range columnsOf(t, db, table) {
			all = append(all, table+"."+column)
		}
	}
	return all
}

// columnsOf returns the names of a table's columns.
func columnsOf(t *testing.T, db *gorm.DB, table string) []string {
	t.Helper()
	rows, err := db.Raw("SELECT * FROM " + inspect.Quote(table) + " LIMIT 0").Rows()
	require.NoError(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	require.NoError(t, err)
	require.NoError(t, rows.Err())
	return names
}

// without returns the tables and columns that were there and are missing now, without the columns of a missing table.
func without(there, now []string) []string {
	gone := slices.DeleteFunc(slices.Clone(there), func(name string) bool { return slices.Contains(now, name) })
	return slices.DeleteFunc(slices.Clone(gone), func(name string) bool {
		table, _, ofTable := strings.Cut(name, ".")
		return ofTable && slices.Contains(gone, table)
	})
}

// begun returns a folder with the migration that makes the models of before, generated once for each engine.
func begun(t *testing.T, engine string, source scratch.Source) string {
	t.Helper()
	beginnings.Lock()
	defer beginnings.Unlock()
	if beginnings.files[engine] == nil {
		dir := t.TempDir()
		require.NoError(t, migrations.WriteSums(dir))
		request := Request{Dir: dir, Message: "Begin", Desired: desiredOf(before(), beforeExtras), Sources: map[string]scratch.Source{engine: source}}
		files, err := Create(t.Context(), request)
		require.NoError(t, err)
		again, err := Create(t.Context(), request)
		require.NoError(t, err)
		require.Empty(t, again, "no change, no files")
		beginnings.files[engine] = map[string][]byte{}
		for _, name := range append(files, migrations.SumsFile) {
			text, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			beginnings.files[engine][name] = text
		}
	}
	dir := t.TempDir()
	for name, text := range beginnings.files[engine] {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	return dir
}

var beginnings = struct {
	sync.Mutex

	files map[string]map[string][]byte // by engine and name
}{files: map[string]map[string][]byte{}}

func runnerIn(t *testing.T, db *gorm.DB, dir string) *runner.Runner {
	set, _, err := migrations.LoadPartly(os.DirFS(dir), db.Name())
	require.NoError(t, err)
	r, err := runner.New(db, set, runner.Program{Rows: runner.MadeUpRows}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return r
}

// up brings db to the newest version in dir and returns the number of versions.
func up(t *testing.T, db *gorm.DB, dir string) int {
	t.Helper()
	r := runnerIn(t, db, dir)
	_, err := r.Up(t.Context(), "")
	require.NoError(t, err)
	log, err := r.Status(t.Context())
	require.NoError(t, err)
	return len(log)
}

func same(t *testing.T, db *gorm.DB, want inspect.State) {
	t.Helper()
	got, err := inspect.Read(t.Context(), db)
	require.NoError(t, err)
	d, err := inspect.Between(got, want)
	require.NoError(t, err)
	require.Empty(t, d.Describe())
}

// fill adds rows to the tables of before.
func fill(t *testing.T, db *gorm.DB) {
	t.Helper()
	for i := range 3 {
		require.NoError(t, db.Exec("INSERT INTO shelf (id, name) VALUES (?, ?)", fmt.Sprint("s", i), fmt.Sprint("shelf ", i)).Error)
		for j := range 4 {
			require.NoError(t, db.Exec("INSERT INTO item (id, shelf_id, title, note, count, active, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
				fmt.Sprint("i", i, j), fmt.Sprint("s", i), fmt.Sprint("title ", i, j), fmt.Sprint("s", j%3), 10*i+j, j%2 == 0, "2026-01-02 03:04:05+00:00").Error)
		}
	}
}

// content is every value of the two tables, by column, without the columns that a scenario changes. Renamed tables
// and columns have their old names.
func content(t *testing.T, db *gorm.DB, changed []string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, table := range []string{"shelf", "item"} {
		if !db.Migrator().HasTable(table) {
			continue
		}
		for _, column := range columnsOf(t, db, table) {
			name := table + "." + column
			if slices.Contains(changed, name) {
				continue
			}
			var values []string
			require.NoError(t, db.Raw(fmt.Sprintf("SELECT COALESCE(CAST(%s AS text), 'NULL') FROM %s ORDER BY id", inspect.Quote(column), table)).Scan(&values).Error)
			out[name] = values
		}
	}
	return out
}

// requireKept fails if a column of before has other values now, or its table other rows.
func requireKept(t *testing.T, before, after map[string][]string) {
	t.Helper()
	for name, values := range before {
		if now, ok := after[name]; ok {
			require.Equal(t, values, now, name)
		}
	}
}

func TestNothingToWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, migrations.WriteSums(dir))
	files, err := Create(t.Context(), Request{
		Dir: dir, Message: "Nothing", Desired: desiredOf(nil, nil), Sources: map[string]scratch.Source{migrations.SQLite: scratch.Memory},
	})
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestAPossibleRenameIsAsked(t *testing.T) {
	t.Parallel()
	type Shelf struct {
		ID    key    `gorm:"primaryKey"`
		Label string `gorm:"not null;uniqueIndex:shelf_name_key"`
	}
	dir := t.TempDir()
	require.NoError(t, migrations.WriteSums(dir))
	sources := map[string]scratch.Source{migrations.SQLite: scratch.Memory}
	request := Request{Dir: dir, Message: "Begin", Desired: desiredOf(before()[:1], nil), Sources: sources}
	_, err := Create(t.Context(), request)
	require.NoError(t, err)

	request.Message, request.Desired = "Call it a label", desiredOf([]any{&Shelf{}}, nil)
	_, err = Create(t.Context(), request)
	require.ErrorIs(t, err, ErrCandidates)
	require.ErrorContains(t, err, "--rename shelf.name=label, or --drop shelf.name")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 3)

	request.Renames = []Rename{{Table: "shelf", Column: "nome", To: "label"}}
	_, err = Create(t.Context(), request)
	require.ErrorContains(t, err, "shelf.nome")
}

func TestEnginesMeetAfterOneWasLeftOut(t *testing.T) {
	t.Parallel()
	postgres := dbtest.Scratch(t, migrations.Postgres)
	dir := t.TempDir()
	require.NoError(t, migrations.WriteSums(dir))
	request := Request{
		Dir: dir, Message: "Begin", Desired: desiredOf(before(), beforeExtras), Sources: map[string]scratch.Source{migrations.SQLite: scratch.Memory},
	}
	files, err := Create(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, []string{"0001_begin.sqlite.down.sql", "0001_begin.sqlite.up.sql"}, files)
	_, err = migrations.Load(os.DirFS(dir), migrations.SQLite)
	require.ErrorContains(t, err, "0001_begin.postgres.up.sql is missing")

	request.Message, request.Sources[migrations.Postgres] = "Complete", postgres
	files, err = Create(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, []string{"0001_begin.postgres.down.sql", "0001_begin.postgres.up.sql"}, files)
	_, err = migrations.Load(os.DirFS(dir), migrations.Postgres)
	require.NoError(t, err)
}
