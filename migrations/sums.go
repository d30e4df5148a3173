package migrations

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// SumsFile pins the content of every SQL file, in the format of sha256sum.
const SumsFile = "migrations.sum"

// ErrSums says that a SQL file differs from its sum in migrations.sum.
var ErrSums = errors.New("migrations: the files differ from " + SumsFile)

// Sums returns the content that migrations.sum should have for the SQL files in the root of fsys.
func Sums(fsys fs.FS) ([]byte, error) {
	names, err := fs.Glob(fsys, "*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(text), name)
	}
	return out.Bytes(), nil
}

// WriteSums rewrites migrations.sum in dir, after a new migration was added. A released migration is never edited.
func WriteSums(dir string) error {
	sums, err := Sums(os.DirFS(dir))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, SumsFile), sums, 0o644) //nolint:gosec // source code, for all to read
}

// verifySums returns ErrSums, with the name of the first file that was edited, is not listed, or is only listed.
func verifySums(fsys fs.FS) error {
	pinned, err := fs.ReadFile(fsys, SumsFile)
	if err != nil {
		return err
	}
	actual, err := Sums(fsys)
	if err != nil {
		return err
	}
	want, have := sumsByName(pinned), sumsByName(actual)
	for line := range strings.Lines(string(actual)) {
		_, name := splitSum(line)
		if _, ok := want[name]; !ok {
			return fmt.Errorf("%w: %s is not listed", ErrSums, name)
		}
		if want[name] != have[name] {
			return fmt.Errorf("%w: %s was edited", ErrSums, name)
		}
	}
	for line := range strings.Lines(string(pinned)) {
		if _, name := splitSum(line); have[name] == "" {
			return fmt.Errorf("%w: %s is missing", ErrSums, name)
		}
	}
	return nil
}

func sumsByName(sums []byte) map[string]string {
	byName := map[string]string{}
	for line := range strings.Lines(string(sums)) {
		sum, name := splitSum(line)
		byName[name] = sum
	}
	return byName
}

func splitSum(line string) (sum, name string) {
	sum, name, _ = strings.Cut(strings.TrimSpace(line), "  ")
	return sum, name
}
