package runner

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"novamind/internal/plural"
)

// KeptCopies is the number of copies of a SQLite database that stay beside it. Older copies are removed.
const KeptCopies = 5

// beforeMigration stands between the file's name and the migration's name in the name of a copy.
const beforeMigration = ".before-"

// finished matches the rest of the name of a finished copy. It does not match the suffix of an unfinished copy, or of
// a journal of SQLite's.
var finished = regexp.MustCompile(`^[a-z0-9_]+(\.[0-9]+)?$`)

// Copies returns the copies beside the SQLite database at path, the newest first.
func Copies(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	made := map[string]time.Time{}
	for _, entry := range entries {
		id, ok := strings.CutPrefix(entry.Name(), filepath.Base(path)+beforeMigration)
		if !ok || !finished.MatchString(id) {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // somebody removed it
		}
		if err != nil {
			return nil, err
		}
		made[filepath.Join(filepath.Dir(path), entry.Name())] = info.ModTime()
	}
	return slices.SortedFunc(maps.Keys(made), func(a, b string) int { return cmp.Or(made[b].Compare(made[a]), strings.Compare(b, a)) }), nil
}

// prune removes the copies beyond KeptCopies.
func prune(path string) error {
	copies, err := Copies(path)
	if err != nil || len(copies) <= KeptCopies {
		return err
	}
	for _, old := range copies[KeptCopies:] {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// unfinished ends the name of a copy that is being made.
const unfinished = ".unfinished"

// copySQLite keeps a verified copy of the database beside it, named <file>.before-<migration>. If that name is taken,
// .2, .3 and so on follow it. At most KeptCopies copies stay. tx holds the write lock, so the migration starts from
// the copied state. pool provides the driver. A database that is empty or in memory is not copied.
func copySQLite(tx *gorm.DB, pool *sql.DB, s step) error {
	ctx := tx.Statement.Context
	var path string
	if err := tx.Raw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&path).Error; err != nil || path == "" {
		return err
	}
	var tables []string
	if err := tx.Raw("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'").Scan(&tables).Error; err != nil ||
		len(tables) == 0 {
		return err
	}
	target, err := untaken(path + beforeMigration + s.migration.ID)
	if err != nil {
		return err
	}
	if err := createPrivate(target + unfinished); err != nil {
		return err
	}
	if err := vacuumInto(ctx, pool.Driver(), path, target+unfinished); err != nil {
		return err
	}
	if err := verifyCopy(tx, pool.Driver(), target+unfinished, tables); err != nil {
		return err
	}
	if err := os.Rename(target+unfinished, target); err != nil {
		return err
	}
	return prune(path)
}

// untaken returns the name, or the name with the first number at its end for which there is no file. The caller holds
// the write lock.
func untaken(name string) (string, error) {
	for n, free := 2, name; ; n++ {
		_, err := os.Lstat(free)
		if errors.Is(err, fs.ErrNotExist) {
			return free, nil
		}
		if err != nil {
			return "", err
		}
		free = fmt.Sprintf("%s.%d", name, n)
	}
}

// createPrivate makes an empty file that only its owner can read, in place of the rest of an interrupted run.
func createPrivate(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // beside the operator's database
	if err != nil {
		return err
	}
	return file.Close()
}

// vacuumInto copies the database at path through a connection of its own, because the statement can't run in a
// transaction.
func vacuumInto(ctx context.Context, d driver.Driver, path, target string) error {
	source := openFile(d, path, "")
	defer source.Close()
	if _, err := source.ExecContext(ctx, "VACUUM INTO ?", target); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_RDWR, 0) //nolint:gosec // made above
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// verifyCopy returns an error if the copy is damaged, or if a table has another number of rows than in tx.
func verifyCopy(tx *gorm.DB, d driver.Driver, target string, tables []string) error {
	ctx := tx.Statement.Context
	made := openFile(d, target, "&mode=ro")
	defer made.Close()
	var verdict string
	if err := made.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errors.New("the copy is damaged")
	}
	for _, table := range tables {
		var want, got int64
		count := "SELECT count(*) FROM " + quoteSQLite(table)
		if err := tx.Raw(count).Scan(&want).Error; err != nil {
			return err
		}
		if err := made.QueryRowContext(ctx, count).Scan(&got); err != nil {
			return err
		}
		if want != got {
			return fmt.Errorf("the copy has %s of %s, the database %d", plural.Count(got, "row", "rows"), table, want)
		}
	}
	return nil
}

// openFile opens a database file with a given driver.
func openFile(d driver.Driver, path, options string) *sql.DB {
	dsn := (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "_pragma=busy_timeout(5000)" + options}).String()
	return sql.OpenDB(connector{driver: d, dsn: dsn})
}

// connector opens a driver's database by its DSN.
type connector struct {
	driver driver.Driver
	dsn    string
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }
