package cli

import (
	"context"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// Most commands run in the test's own process, because they then start at once and compile the SQL parser only once.
// The working directory and the environment belong to the process, so only one command runs at a time.
var inProcess sync.Mutex

// variables returns the names of the variables that the scripts in a folder set.
func variables(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := []string{"DATABASE_URL", "NOVAMIND_SERVER__ADDR"} // TestScript sets these
	for _, entry := range entries {
		text, err := os.ReadFile(dir + "/" + entry.Name())
		require.NoError(t, err)
		for _, set := range regexp.MustCompile(`(?m)^env (\w+)=`).FindAllStringSubmatch(string(text), -1) {
			names = append(names, set[1])
		}
	}
	return names
}

// commandLine runs the program's commands for a script: in this process, except for serve.
type commandLine struct{ variables []string }

// run returns the exit status of a command.
func (c commandLine) run(ts *testscript.TestScript, args []string) int {
	inProcess.Lock()
	defer inProcess.Unlock()
	home, err := os.Getwd()
	ts.Check(err)
	ts.Check(os.Chdir(ts.MkAbs(".")))
	defer func() {
		ts.Check(os.Chdir(home))
		for _, name := range c.variables {
			ts.Check(os.Unsetenv(name))
		}
	}()
	for _, name := range c.variables {
		if value := ts.Getenv(name); value != "" {
			ts.Check(os.Setenv(name, value))
		}
	}
	return Run(context.Background(), args, strings.NewReader(""), ts.Stdout(), ts.Stderr())
}
