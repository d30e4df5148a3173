package autogenerate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"

	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/inspect"
	"novamind/migrations/runner"
	"novamind/migrations/script"
)

// Request asks for a migration from the schema of a folder's files to the models' schema.
type Request struct {
	Dir     string
	Message string
	Desired Desired
	Renames []Rename
	Gone    []string                  // tables and columns that are really removed, though a similar one is added: table.column or table
	Sources map[string]scratch.Source // by engine; an engine without a source is left for later
}

// ErrCandidates says that a change may be a rename or a replacement, so a person must decide.
var ErrCandidates = errors.New("renamed, or dropped and added?")

// Create writes the files of the migration, and the sums, and returns the files' names. It returns no names if
// nothing changed. Each version was tried before: up leads to the models' schema, and down leads back. Before
// anything is written, Create returns ErrCandidates, which names the missing decisions, ErrNoDefault, ErrDigested or
// ErrSealed.
func Create(ctx context.Context, r Request) ([]string, error) {
	folder, err := readFolder(r.Dir)
	if err != nil {
		return nil, err
	}
	byEngine := map[string]steps{}
	for _, engine := range []string{migrations.SQLite, migrations.Postgres} {
		source, ok := r.Sources[engine]
		if !ok {
			continue
		}
		if byEngine[engine], err = r.steps(ctx, source, folder.sets[engine]); err != nil {
			return nil, fmt.Errorf("%s: %w", engine, err)
		}
	}
	return folder.write(r.Message, byEngine)
}

// steps makes one engine's SQL, and tries it.
func (r Request) steps(ctx context.Context, source scratch.Source, set migrations.Set) (steps, error) {
	p, err := newPair(ctx, source, set, r.Desired)
	if err != nil {
		return steps{}, err
	}
	defer p.drop()
	renames, err := r.Desired.renames(r.Renames, p.history.Tables)
	if err != nil {
		return steps{}, err
	}
	if err := r.Desired.nameable(renames, p.history.Tables); err != nil {
		return steps{}, err
	}
	var forth, back []string
	for _, rename := range renames {
		forth, back = append(forth, rename.sql()), append([]string{rename.back().sql()}, back...)
	}
	renamed, err := p.renamed(ctx, forth, back)
	if err != nil {
		return steps{}, err
	}
	s, err := r.leftOver(ctx, set.Engine, renamed, p.desired)
	if err != nil {
		return steps{}, err
	}
	s.up, s.down = append(forth, s.up...), append(s.down, back...)
	if len(s.up)+len(s.lateUp) == 0 {
		return s, nil
	}
	return s, p.try(ctx, set, s)
}

// renamed returns the state of the history after the renames, and undoes them again.
func (p pair) renamed(ctx context.Context, forth, back []string) (inspect.State, error) {
	if len(forth) == 0 {
		return p.history, nil
	}
	run := func(statements []string) error {
		for _, statement := range statements {
			if err := p.historyDB.WithContext(ctx).Exec(statement).Error; err != nil {
				return err
			}
		}
		return nil
	}
	if err := run(forth); err != nil {
		return inspect.State{}, err
	}
	renamed, err := inspect.Read(ctx, p.historyDB)
	return renamed, cmp.Or(err, run(back))
}

// leftOver plans the remaining changes, unless a person must be asked first.
func (r Request) leftOver(ctx context.Context, engine string, from, to inspect.State) (steps, error) {
	d, err := inspect.Between(from, to)
	if err != nil {
		return steps{}, err
	}
	if err := ask(candidates(d, setOf(r.Gone))); err != nil {
		return steps{}, err
	}
	if err := cmp.Or(unfilled(d), r.Desired.untouched(d)); err != nil {
		return steps{}, err
	}
	s, err := plan(ctx, engine, from, to)
	if err == nil && len(s.up)+len(s.lateUp) == 0 && !d.Empty() {
		err = ungenerated("as it is", d)
	}
	return s, err
}

// ask returns ErrCandidates with the possible answers, if there are any candidates.
func ask(candidates []Rename) error {
	if len(candidates) == 0 {
		return nil
	}
	var lines []string
	for _, c := range candidates {
		old := c.Table
		if c.Column != "" {
			old += "." + c.Column
		}
		lines = append(lines, fmt.Sprintf("--rename %s=%s, or --drop %s", old, c.To, old))
	}
	return fmt.Errorf("%w say %s", ErrCandidates, strings.Join(lines, "; "))
}

func setOf(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// try runs s up and down on the scratch database of the history.
func (p pair) try(ctx context.Context, set migrations.Set, s steps) error {
	tried := migrations.Set{Engine: set.Engine, Migrations: append([]migrations.Migration{}, set.Migrations...)}
	for i, v := range s.versions("tried") {
		id := fmt.Sprintf("999999%d_tried", i)
		tried.Migrations = append(tried.Migrations, migrations.Migration{ID: id, Version: id[:7], Name: "tried", Up: v.up, Down: v.down})
	}
	r, err := runner.New(p.historyDB, tried, runner.Program{Rows: runner.MadeUpRows}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if _, err := r.Up(ctx, ""); err != nil {
		return err
	}
	if err := residue(ctx, p.historyDB, p.desired, "up"); err != nil {
		return err
	}
	if _, err := r.DownBy(ctx, len(tried.Migrations)-len(set.Migrations)); err != nil {
		return err
	}
	return residue(ctx, p.historyDB, p.history, "down")
}

// residue returns an error that lists the differences between db and the wanted state.
func residue(ctx context.Context, db *gorm.DB, want inspect.State, direction string) error {
	got, err := inspect.Read(ctx, db)
	if err != nil {
		return err
	}
	d, err := inspect.Between(got, want)
	if err != nil || d.Empty() {
		return err
	}
	return ungenerated("after "+direction, d)
}

func ungenerated(when string, d inspect.Difference) error {
	return fmt.Errorf("the SQL can't be generated: %s, this still differs: %s (migrate create without --autogenerate makes empty files to write by hand)",
		when, strings.Join(d.Describe(), "; "))
}

var unnameable = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf makes a migration's name from a message. Letters with accents lose them. It refuses a message with letters
// other than these and ASCII's, and a message that would be more than a comment on a line of its own.
func nameOf(message string) (string, error) {
	if strings.ContainsFunc(message, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		return "", errors.New("the message (-m) is a comment in the files: write it on one line, without control characters")
	}
	if len(script.Directives(migrations.Postgres, "-- "+message)) > 0 {
		return "", errors.New("the message (-m) is a comment in the files, and this one would be a directive: say what the migration does")
	}
	message, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), message)
	if err != nil {
		return "", err
	}
	for _, r := range message {
		if r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsNumber(r)) {
			return "", fmt.Errorf("the message (-m) makes the migration's name, which takes a to z and digits: write %q otherwise", r)
		}
	}
	name := strings.Trim(unnameable.ReplaceAllString(strings.ToLower(message), "_"), "_")
	if len(name) > 60 {
		name = strings.TrimRight(name[:60], "_")
	}
	if name == "" {
		return "", errors.New("the message (-m) makes the migration's name: it needs letters or digits")
	}
	return name, nil
}

// CreateEmpty writes the four files of a migration, to be filled by hand, and the sums.
func CreateEmpty(dir, message string) ([]string, error) {
	folder, err := readFolder(dir)
	if err != nil {
		return nil, err
	}
	name, err := nameOf(message)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, engine := range []string{migrations.Postgres, migrations.SQLite} {
		files[fileName(folder.next(0), name, engine, "up")] = "-- " + message + "\n\n"
		files[fileName(folder.next(0), name, engine, "down")] = "-- Undoes: " + message + "\n\n"
	}
	return folder.save(files)
}

func fileName(version, name, engine, direction string) string {
	return fmt.Sprintf("%s_%s.%s.%s.sql", version, name, engine, direction)
}

// ErrAtWork says that another run, which read the folder at the same time, took a number.
var ErrAtWork = errors.New("another migrate create wrote into this folder meanwhile: run it again")

// creating is the name of a lock file that exists while a run writes.
const creating = ".creating"

// save writes new files and the sums. It returns ErrAtWork if a number was taken meanwhile.
func (f folder) save(files map[string]string) ([]string, error) {
	lock := filepath.Join(f.dir, creating)
	held, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in the folder that is written to
	if err != nil {
		return nil, fmt.Errorf("%w (and remove %s if it was left by a run that was killed)", ErrAtWork, lock)
	}
	defer func() { _ = cmp.Or(held.Close(), os.Remove(lock)) }()
	names := sortedNames(files)
	for _, name := range names {
		id, _, _ := strings.Cut(name, ".")
		taken, err := filepath.Glob(filepath.Join(f.dir, migrations.VersionOf(id)+"_*"))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(taken, func(path string) bool { return !strings.HasPrefix(filepath.Base(path), id+".") }) {
			return nil, ErrAtWork
		}
	}
	for _, name := range names {
		file, err := os.OpenFile(filepath.Join(f.dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // source code, for all to read
		if err != nil {
			return nil, err
		}
		_, err = file.WriteString(files[name])
		if err := cmp.Or(err, file.Close()); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	return names, migrations.WriteSums(f.dir)
}
