// Package migrations holds the frozen SQL of the schema, one file per version, engine and direction, pinned by their
// sums. Package runner applies the files, and autogenerate writes them. A released file never changes: migrations.sum
// pins each file, and the database records the files that ran. The package imports no model, so the effect of an old
// version never depends on today's code.
package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

//go:generate go run ./sum .

//go:embed *.sql migrations.sum lint.allow released.columns
var files embed.FS

// Files returns the files that were built into the program: the SQL files, their sums, and the lists for the lint.
func Files() fs.FS { return files }

// Further files for the lint: exceptions for frozen files, and the columns that the models of the last release use.
const (
	ExceptionsFile = "lint.allow"
	ReleasedFile   = "released.columns"
)

// The engines, by gorm's names of them.
const (
	Postgres = "postgres"
	SQLite   = "sqlite"
)

// ErrUnknownTarget says that a target names no migration of the set.
var ErrUnknownTarget = errors.New("no such migration")

// Migration is one version of the schema for one engine.
type Migration struct {
	Version  string // "0001"
	Name     string // "initial"
	ID       string // "0001_initial"
	Up       string // the SQL exactly as in the file
	Down     string
	Checksum string // SHA-256 of Up, in hex
}

// Set is every migration for one engine, oldest first.
type Set struct {
	Engine     string
	Migrations []Migration
}

// Embedded returns the migrations that were built into the program; errors are those of Load.
func Embedded(engine string) (Set, error) { return Load(files, engine) }

// Load reads the migrations for engine from the root of fsys. It returns an error that names the file if a file was
// edited, is missing from migrations.sum or listed there alone, or has a malformed name. It also returns an error if
// a version lacks a direction on either engine.
func Load(fsys fs.FS, engine string) (Set, error) {
	if err := verifySums(fsys); err != nil {
		return Set{}, err
	}
	return LoadUnpinned(fsys, engine)
}

// LoadUnpinned is Load for a folder without sums.
func LoadUnpinned(fsys fs.FS, engine string) (Set, error) {
	versions, err := load(fsys, engine)
	if err != nil {
		return Set{}, err
	}
	if err := complete(versions); err != nil {
		return Set{}, err
	}
	set := Set{Engine: engine}
	for _, v := range versions {
		set.Migrations = append(set.Migrations, v.migration(engine))
	}
	return set, nil
}

// LoadPartly is Load for a folder in which a migration is being written. It accepts versions that have files for the
// other engine alone, and returns their ids.
func LoadPartly(fsys fs.FS, engine string) (set Set, missing []string, err error) {
	if err := verifySums(fsys); err != nil {
		return Set{}, nil, err
	}
	versions, err := load(fsys, engine)
	if err != nil {
		return Set{}, nil, err
	}
	set.Engine = engine
	for _, v := range versions {
		m := v.migration(engine)
		if _, ok := v.sql[engine+".up"]; ok {
			set.Migrations = append(set.Migrations, m)
		} else {
			missing = append(missing, m.ID)
		}
	}
	return set, missing, nil
}

func load(fsys fs.FS, engine string) ([]version, error) {
	if engine != Postgres && engine != SQLite {
		return nil, fmt.Errorf("migrations: unknown engine %q", engine)
	}
	versions, err := readVersions(fsys)
	if err != nil {
		return nil, err
	}
	return versions, transactional(versions)
}

// The targets that are no version: everything, and nothing.
const (
	Head = "head"
	Base = "base"
)

// Index returns the position of target: a version or an id, Head ("" is the same) or Base, which is -1. It returns
// ErrUnknownTarget for any other text.
func (s Set) Index(target string) (int, error) {
	switch target {
	case "", Head:
		return len(s.Migrations) - 1, nil
	case Base:
		return -1, nil
	}
	i := slices.IndexFunc(s.Migrations, func(m Migration) bool { return m.ID == target || m.Version == target })
	if i < 0 {
		return 0, fmt.Errorf("%w: %q", ErrUnknownTarget, target)
	}
	return i, nil
}

// Find returns the position of the migration with the id, or -1.
func (s Set) Find(id string) int {
	return slices.IndexFunc(s.Migrations, func(m Migration) bool { return m.ID == id })
}

// version is one version's SQL on both engines.
type version struct {
	number, name string
	sql          map[string]string // by "<engine>.<direction>"
}

func (v version) migration(engine string) Migration {
	up := v.sql[engine+".up"]
	sum := sha256.Sum256([]byte(up))
	return Migration{
		Version: v.number, Name: v.name, ID: v.number + "_" + v.name,
		Up: up, Down: v.sql[engine+".down"], Checksum: hex.EncodeToString(sum[:]),
	}
}

var fileName = regexp.MustCompile(`^([0-9]{4,})_([a-z0-9_]+)\.((?:postgres|sqlite)\.(?:up|down))\.sql$`)

// readVersions reads every SQL file into its version, sorted by number.
func readVersions(fsys fs.FS) ([]version, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, err
	}
	var all []version
	for _, file := range names {
		part := fileName.FindStringSubmatch(file)
		if part == nil {
			return nil, fmt.Errorf("migrations: %s: not named <version>_<name>.<postgres|sqlite>.<up|down>.sql", file)
		}
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(all, func(v version) bool { return CompareVersions(v.number, part[1]) == 0 })
		if i < 0 {
			i = len(all)
			all = append(all, version{number: part[1], name: part[2], sql: map[string]string{}})
		}
		if all[i].number != part[1] || all[i].name != part[2] {
			return nil, fmt.Errorf("migrations: %s: version %s is also called %s_%s", file, part[1], all[i].number, all[i].name)
		}
		all[i].sql[part[3]] = string(text)
	}
	slices.SortFunc(all, func(a, b version) int { return CompareVersions(a.number, b.number) })
	return all, nil
}

// complete returns an error that names the first missing file of a version.
func complete(all []version) error {
	for _, v := range all {
		for _, part := range []string{"postgres.up", "postgres.down", "sqlite.up", "sqlite.down"} {
			if _, ok := v.sql[part]; !ok {
				return fmt.Errorf("migrations: %s_%s.%s.sql is missing", v.number, v.name, part)
			}
		}
	}
	return nil
}

// VersionOf returns the version in a migration's id.
func VersionOf(id string) string {
	number, _, _ := strings.Cut(id, "_")
	return number
}

// CompareVersions orders versions as numbers of any length: 10000 comes after 9999.
func CompareVersions(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
