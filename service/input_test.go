package service

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// printed are the inputs without data of patients.
var printed = map[string]string{
	"AccountInput":      "staff",
	"APIKeyInput":       "a machine",
	"AvailabilityInput": "a practitioner's hours",
}

// An input about a patient prints as little as its stored form: it embeds phi.Private, or another input.
func TestInputsPrintRedacted(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var inputs []string
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			declared, ok := node.(*ast.TypeSpec)
			if !ok || !strings.HasSuffix(declared.Name.Name, "Input") || printed[declared.Name.Name] != "" {
				return true
			}
			inputs = append(inputs, declared.Name.Name)
			members, ok := declared.Type.(*ast.StructType)
			require.True(t, ok && slices.ContainsFunc(members.Fields.List, isPrivate), declared.Name.Name+": embed phi.Private in it")
			return true
		})
	}
	require.Contains(t, inputs, "PatientInput")
}

func isPrivate(field *ast.Field) bool {
	if len(field.Names) > 0 {
		return false
	}
	switch embedded := field.Type.(type) {
	case *ast.Ident:
		return strings.HasSuffix(embedded.Name, "Input")
	case *ast.SelectorExpr:
		return embedded.Sel.Name == "Private"
	default:
		return false
	}
}
