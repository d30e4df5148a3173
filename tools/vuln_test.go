package tools_test

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// TestScript runs testdata/*.txtar. $TOOLS is the folder of the scripts under test.
func TestScript(t *testing.T) {
	t.Parallel()
	tools, err := filepath.Abs(".")
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TOOLS", tools)
			return nil
		},
	})
}
