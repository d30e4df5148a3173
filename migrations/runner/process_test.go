package runner_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/internal/migrationtest"
	"novamind/migrations"
	"novamind/migrations/runner"
)

// Tests start themselves as other processes with these.
const (
	childURL = "NOVAMIND_TEST_CHILD_URL" // the database to migrate
	childSet = "NOVAMIND_TEST_CHILD_SET" // embedded, or counting
)

// rounds is the number of repetitions of tests of races and kills: 1, or 20 with NOVAMIND_TEST_LONG.
func rounds() int {
	if os.Getenv("NOVAMIND_TEST_LONG") != "" {
		return 20
	}
	return 1
}

// child returns the command that migrates url to the newest version of a set, in a process of its own.
func child(set, url string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childURL+"="+url, childSet+"="+set)
	return cmd
}

func TestChild(t *testing.T) { //nolint:paralleltest // is a process of its own
	url := os.Getenv(childURL)
	if url == "" {
		t.Skip("is started by other tests")
	}
	db := dbtest.Open(t, url)
	set := counting(t, db.Name())
	if os.Getenv(childSet) == "embedded" {
		set = embedded(t, db.Name())
	}
	_, err := newRunnerOf(t, db, set).Up(t.Context(), "")
	require.NoError(t, err)
}

func newRunnerOf(t *testing.T, db *gorm.DB, set migrations.Set) *runner.Runner {
	t.Helper()
	r, err := runner.New(db, set, runner.Program{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return r
}

func TestEightProcessesApplyEachVersionOnce(t *testing.T) {
	t.Parallel()
	for round := range rounds() {
		for _, populated := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d populated %t", round, populated), func(t *testing.T) {
				t.Parallel()
				onEachEngine(t, func(t *testing.T, url string) {
					db := dbtest.Open(t, url)
					set := embedded(t, db.Name())
					if populated {
						populate(t, db, set)
					}
					processes := make([]*exec.Cmd, 8)
					for i := range processes {
						processes[i] = child("embedded", url)
						require.NoError(t, processes[i].Start())
					}
					for _, p := range processes {
						require.NoError(t, p.Wait())
					}
					require.EqualValues(t, len(set.Migrations), count(t, db, runner.LogTable))
					require.EqualValues(t, len(set.Migrations), count(t, db, runner.Table))
					if populated {
						require.EqualValues(t, populatedRows, count(t, db, "account"))
						require.EqualValues(t, populatedRows, count(t, db, "session"))
					}
				})
			})
		}
	}
}

const populatedRows = 5000

// populate brings db to the first version and adds rows.
func populate(t *testing.T, db *gorm.DB, set migrations.Set) {
	t.Helper()
	_, err := newRunnerOf(t, db, set).Up(t.Context(), set.Migrations[0].ID)
	require.NoError(t, err)
	require.NoError(t, db.Exec(fmt.Sprintf(strings.ReplaceAll(`
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO account (id, email, name, roles, password_hash, must_change_password, disabled)
		SELECT ID, 'somebody ' || i, 'Somebody', '[]', '-', false, false FROM n`, "ID", id(db)), populatedRows)).Error)
	require.NoError(t, db.Exec("INSERT INTO session (id, token_hash, account_id, expires_at) SELECT id, email, id, created_at FROM account").Error)
}

// id is SQL for the i-th id.
func id(db *gorm.DB) string {
	if db.Name() == migrations.Postgres {
		return "('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid"
	}
	return "printf('00000000-0000-7000-8000-%%012d', i)"
}

// counting is a set whose versions each add one to a number, slowly. On PostgreSQL one of them runs without a
// transaction.
func counting(t *testing.T, engine string) migrations.Set {
	t.Helper()
	scripts := map[string]string{"0001_initial": "CREATE TABLE counter (n int NOT NULL); INSERT INTO counter VALUES (0); CREATE TABLE many (i int);"}
	for i := 2; i <= 8; i++ {
		scripts[fmt.Sprintf("%04d_counts", i)] = `UPDATE counter SET n = n + 1;
INSERT INTO many WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < 20000) SELECT i FROM x;`
	}
	fsys := migrationtest.Folder(t, scripts)
	fsys["0005_counts.postgres.up.sql"].Data = []byte("-- migrate:no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS many_i_idx ON many (i);\nSELECT pg_sleep(0.05);")
	set, err := migrations.Load(migrationtest.Summed(t, fsys), engine)
	require.NoError(t, err)
	return set
}

func TestTheNextRunGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	for round := range rounds() {
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			t.Parallel()
			onEachEngine(t, func(t *testing.T, url string) {
				db := dbtest.Open(t, url)
				set := counting(t, db.Name())
				killed := child("counting", url)
				require.NoError(t, killed.Start())
				time.Sleep(rand.N(1500 * time.Millisecond)) // at any point
				require.NoError(t, killed.Process.Kill())
				_ = killed.Wait()

				_, err := newRunnerOf(t, db, set).Up(t.Context(), "")
				require.NoError(t, err)
				want := len(set.Migrations) - 1
				if db.Name() == migrations.Postgres {
					want-- // the version that counts nothing
					var valid bool
					require.NoError(t, db.Raw("SELECT indisvalid FROM pg_index WHERE indexrelid = 'many_i_idx'::regclass").Scan(&valid).Error)
					require.True(t, valid)
				}
				var n int
				require.NoError(t, db.Raw("SELECT n FROM counter").Scan(&n).Error)
				require.Equal(t, want, n)
				require.EqualValues(t, 20000*want, count(t, db, "many"))
				require.EqualValues(t, len(set.Migrations), count(t, db, runner.LogTable))
			})
		})
	}
}
