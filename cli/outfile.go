package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// outFile is a file that a command writes because the caller named it.
type outFile struct {
	path  string
	force bool // replace an existing file
}

var errOutThere = errors.New("can't write the file: there is one already; choose another name, or replace it with --force")

// check refuses a path that may not be written. It runs before long work, not after.
func (f outFile) check() error {
	if f.path == "" {
		return nil
	}
	info, err := os.Lstat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("can't write the file: %w", err)
	case !info.Mode().IsRegular():
		return errors.New("can't write the file: there is something else of this name; choose another name")
	case !f.force:
		return errOutThere
	}
	return nil
}

// write makes a file that others can't read. It moves the file to its place once it is complete and on the disk.
func (f outFile) write(fill func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(f.path), ".novamind-*.part") // with mode 0600
	if err != nil {
		return fmt.Errorf("can't write the file: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	err = fill(file)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	place := os.Link // unlike a rename, a link replaces no file that appeared meanwhile
	if f.force {
		place = os.Rename
	}
	if err = place(file.Name(), f.path); errors.Is(err, fs.ErrExist) {
		return errOutThere
	}
	return err
}
