package autogenerate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/inspect"
)

// The parts of a table with a sealed column.
type (
	ChartNote struct {
		ID   key    `gorm:"primaryKey"`
		Note string `gorm:"not null;check:chart_note_sealed,note LIKE 'phi1:%'"`
	}
	ChartKind struct{ Kind *string }
)

func plainChart() any {
	type Chart struct{ ChartNote }
	return &Chart{}
}

func kindChart() any {
	type Chart struct {
		ChartNote
		ChartKind
	}
	return &Chart{}
}

func filledChart() any {
	type Chart struct {
		ChartNote
		Kind string `gorm:"not null;default:'x'"`
	}
	return &Chart{}
}

func sortChart() any {
	type Chart struct {
		ChartNote
		Sort *string
	}
	return &Chart{}
}

func remarkChart() any {
	type Chart struct {
		ID     key    `gorm:"primaryKey"`
		Remark string `gorm:"not null;check:chart_remark_sealed,remark LIKE 'phi1:%'"`
	}
	return &Chart{}
}

// Create refuses changes that would make rows that the log vouches for look tampered with, or unreadable.
func TestVouchedRowsGetNoValues(t *testing.T) {
	t.Parallel()
	vouched := []string{"chart"}
	for name, c := range map[string]struct {
		from, to any
		digested []string
		renames  []Rename
		want     error
	}{
		"a default":                {plainChart(), filledChart(), vouched, nil, ErrDigested},
		"a default of others":      {plainChart(), filledChart(), nil, nil, nil},
		"NULL":                     {plainChart(), kindChart(), vouched, nil, nil},
		"a default for NULL":       {kindChart(), filledChart(), vouched, nil, ErrDigested},
		"another name":             {kindChart(), sortChart(), vouched, []Rename{{Table: "chart", Column: "kind", To: "sort"}}, ErrDigested},
		"another name of others'":  {kindChart(), sortChart(), nil, []Rename{{Table: "chart", Column: "kind", To: "sort"}}, nil},
		"another name of a sealed": {plainChart(), remarkChart(), nil, []Rename{{Table: "chart", Column: "note", To: "remark"}}, ErrSealed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, engine string, source scratch.Source) {
				dir := t.TempDir()
				require.NoError(t, migrations.WriteSums(dir))
				sources := map[string]scratch.Source{engine: source}
				_, err := Create(t.Context(), Request{Dir: dir, Message: "Begin", Desired: desiredOf([]any{c.from}, nil), Sources: sources})
				require.NoError(t, err)
				wanted := desiredOf([]any{c.to}, nil)
				wanted.Digested = c.digested
				files, err := Create(t.Context(), Request{Dir: dir, Message: "Go on", Desired: wanted, Renames: c.renames, Sources: sources})
				require.ErrorIs(t, err, c.want)
				require.Equal(t, c.want == nil, len(files) > 0)
			})
		})
	}
}

// On both engines, NULLs get the default if a column becomes NOT NULL.
func TestADefaultTakesThePlaceOfNull(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, engine string, source scratch.Source) {
		dir := t.TempDir()
		require.NoError(t, migrations.WriteSums(dir))
		sources := map[string]scratch.Source{engine: source}
		_, err := Create(t.Context(), Request{Dir: dir, Message: "Begin", Desired: desiredOf([]any{kindChart()}, nil), Sources: sources})
		require.NoError(t, err)
		db, drop, err := source(t.Context())
		require.NoError(t, err)
		t.Cleanup(drop)
		up(t, db, dir)
		require.NoError(t, db.Exec("INSERT INTO chart (id, note, kind) VALUES ('1', 'phi1:', NULL), ('2', 'phi1:', 'y')").Error)
		_, err = Create(t.Context(), Request{Dir: dir, Message: "Go on", Desired: desiredOf([]any{filledChart()}, nil), Sources: sources})
		require.NoError(t, err)
		up(t, db, dir)
		var kinds []string
		require.NoError(t, db.Raw("SELECT kind FROM chart ORDER BY id").Scan(&kinds).Error)
		require.Equal(t, []string{"x", "y"}, kinds)
	})
}

// A shorter type is refused if a value is longer: PostgreSQL would cut the value short if a cast said so.
func TestNoValueIsCutShort(t *testing.T) {
	t.Parallel()
	short := func() any {
		type Chart struct {
			ChartNote
			Kind *string `gorm:"type:varchar(3)"`
		}
		return &Chart{}
	}
	onEachEngine(t, func(t *testing.T, engine string, source scratch.Source) {
		dir := t.TempDir()
		require.NoError(t, migrations.WriteSums(dir))
		sources := map[string]scratch.Source{engine: source}
		_, err := Create(t.Context(), Request{Dir: dir, Message: "Begin", Desired: desiredOf([]any{kindChart()}, nil), Sources: sources})
		require.NoError(t, err)
		db, drop, err := source(t.Context())
		require.NoError(t, err)
		t.Cleanup(drop)
		up(t, db, dir)
		require.NoError(t, db.Exec("INSERT INTO chart (id, note, kind) VALUES ('1', 'phi1:', 'long')").Error)
		_, err = Create(t.Context(), Request{Dir: dir, Message: "Shorten", Desired: desiredOf([]any{short()}, nil), Sources: sources})
		require.NoError(t, err)
		_, err = runnerIn(t, db, dir).Up(t.Context(), "")
		if engine == migrations.Postgres {
			require.ErrorContains(t, err, "22001")
		} else {
			require.NoError(t, err, "SQLite keeps to no length")
		}
		var kind string
		require.NoError(t, db.Raw("SELECT kind FROM chart").Scan(&kind).Error)
		require.Equal(t, "long", kind)
	})
}

func TestAMessageIsAComment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, migrations.WriteSums(dir))
	for _, message := range []string{"two\nlines; DROP TABLE x", "one\rmore", "migrate:no-transaction", " migrate:compatible", "lint:allow plain-phi it is so"} {
		_, err := CreateEmpty(dir, message)
		require.ErrorContains(t, err, "the message (-m)", message)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// Simultaneous runs never give two versions one number.
func TestNumbersAreTakenOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, migrations.WriteSums(dir))
	var runs sync.WaitGroup
	var written atomic.Int32
	for i := range 8 {
		runs.Go(func() {
			if _, err := CreateEmpty(dir, fmt.Sprint("run ", i)); err == nil { // otherwise it met another run, or the files that the other run had written so far
				written.Add(1)
			}
		})
	}
	runs.Wait()
	names, err := filepath.Glob(filepath.Join(dir, "*.postgres.up.sql"))
	require.NoError(t, err)
	require.Len(t, names, int(written.Load()))
	require.NotEmpty(t, names)
	numbers := map[string]bool{}
	for _, name := range names {
		number, _, _ := strings.Cut(filepath.Base(name), "_")
		require.False(t, numbers[number], names)
		numbers[number] = true
	}
	_, err = migrations.Load(os.DirFS(dir), migrations.SQLite)
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, creating))
}

func TestStoredCommentsStayWhereTheyStand(t *testing.T) {
	t.Parallel()
	db, drop, err := scratch.Memory(t.Context())
	require.NoError(t, err)
	t.Cleanup(drop)
	require.NoError(t, db.Exec("CREATE TABLE chart (\n    id text CONSTRAINT chart_pkey PRIMARY KEY, -- lint:allow plain-phi no PHI\n    -- alone\n    note text /* two\n    lines */\n)").Error)
	state, err := inspect.Read(t.Context(), db)
	require.NoError(t, err)
	require.Equal(t, "CREATE TABLE chart (\n    id text CONSTRAINT chart_pkey PRIMARY KEY,\n    note text\n)", state.Texts.Tables["chart"])
}
