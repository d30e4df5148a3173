package dbtest

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

var errNoPostgres = errors.New("these tests need PostgreSQL: install it (apt-get install postgresql), or set " +
	ServerURL + " to a server on which they may create databases, or run SQLite alone (go test -short)")

// findBinaries returns the folder of PostgreSQL's programs: Debian's newest, pg_config's, or one in PATH.
func findBinaries() (string, error) {
	for _, bin := range []string{newestDebian(), fromPgConfig(), fromPath()} {
		if bin == "" {
			continue
		}
		if _, err := exec.LookPath(filepath.Join(bin, "initdb")); err == nil {
			return bin, nil
		}
	}
	return "", errNoPostgres
}

func newestDebian() string {
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	newest, version := "", 0
	for _, bin := range installed {
		if v, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && v > version {
			newest, version = bin, v
		}
	}
	return newest
}

func fromPgConfig() string {
	out, _ := exec.Command("pg_config", "--bindir").Output()
	return strings.TrimSpace(string(out))
}

func fromPath() string {
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return ""
	}
	return filepath.Dir(initdb)
}
