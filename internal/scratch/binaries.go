package scratch

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrNoPostgres is returned if this machine has no PostgreSQL to start.
var ErrNoPostgres = errors.New("no PostgreSQL server programs on this machine (apt-get install postgresql)")

// findBinaries returns the folder of PostgreSQL's programs: Debian's newest, pg_config's, or one in PATH.
func findBinaries(ctx context.Context) (string, error) {
	for _, bin := range []string{newestDebian(), fromPgConfig(ctx), fromPath()} {
		if bin == "" {
			continue
		}
		if _, err := exec.LookPath(filepath.Join(bin, "initdb")); err == nil {
			return bin, nil
		}
	}
	return "", ErrNoPostgres
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

func fromPgConfig(ctx context.Context) string {
	out, _ := exec.CommandContext(ctx, "pg_config", "--bindir").Output()
	return strings.TrimSpace(string(out))
}

func fromPath() string {
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return ""
	}
	return filepath.Dir(initdb)
}
