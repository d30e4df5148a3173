package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
)

// Actions lists every constant of the block of actions.
func TestActionsAreAll(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	require.NoError(t, err)
	var declared []string
	for _, d := range file.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST || len(declared) > 0 { // the first block
			continue
		}
		for _, spec := range block.Specs {
			literal := spec.(*ast.ValueSpec).Values[0].(*ast.BasicLit)
			value, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			declared = append(declared, value)
		}
	}
	require.Contains(t, declared, audit.Create)
	require.Equal(t, declared, audit.Actions())
}
