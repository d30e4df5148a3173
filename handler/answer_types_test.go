package handler_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/models"
)

// An answer shows only the members that it was made to show. Its type contains no model, because a model would show
// every column that is ever added.
func TestAnswersHoldNoModels(t *testing.T) {
	t.Parallel()
	held := map[string]bool{}
	for _, m := range models.All() {
		held["models."+reflect.TypeOf(m).Elem().Name()] = true
	}
	// The results of services may contain models. An answer copies the members that it shows.
	for again := true; again; {
		again = false
		for name := range structsHolding(t, parseFolder(t, "../service"), held) {
			if !held["service."+name] {
				held["service."+name], again = true, true
			}
		}
	}
	require.Empty(t, structsHolding(t, parseFolder(t, "."), held), "make an answer type with the members that it shows")
}

func parseFolder(t *testing.T, folder string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	require.NotEmpty(t, files)
	return files
}

// structsHolding returns the types whose JSON would show a type in held: types that contain it as an exported or
// embedded member, however wrapped, and types defined from it. A struct without a name counts as a part of its
// declaration.
func structsHolding(t *testing.T, files []*ast.File, held map[string]bool) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, file := range files {
		pkg := file.Name.Name
		for _, declared := range file.Decls {
			name := "a variable"
			if function, ok := declared.(*ast.FuncDecl); ok {
				name = function.Name.Name
			}
			ast.Inspect(declared, func(node ast.Node) bool {
				switch node := node.(type) {
				case *ast.TypeSpec:
					name = node.Name.Name
					found[name] = found[name] || holds(node.Type, pkg, held)
				case *ast.StructType:
					found[name] = found[name] || holds(node, pkg, held)
				}
				return true
			})
		}
	}
	for name, is := range found {
		if !is {
			delete(found, name)
		}
	}
	return found
}

func holds(t ast.Expr, pkg string, held map[string]bool) bool {
	switch t := t.(type) {
	case *ast.Ident:
		return held[pkg+"."+t.Name]
	case *ast.SelectorExpr:
		from, ok := t.X.(*ast.Ident)
		return ok && held[from.Name+"."+t.Sel.Name]
	case *ast.StarExpr:
		return holds(t.X, pkg, held)
	case *ast.ArrayType:
		return holds(t.Elt, pkg, held)
	case *ast.MapType:
		return holds(t.Value, pkg, held)
	case *ast.IndexExpr:
		return holds(t.X, pkg, held) || holds(t.Index, pkg, held)
	case *ast.StructType:
		for _, field := range t.Fields.List {
			if shown(field) && holds(field.Type, pkg, held) {
				return true
			}
		}
	}
	return false
}

// shown reports whether JSON shows a field.
func shown(field *ast.Field) bool {
	for _, name := range field.Names {
		if name.IsExported() {
			return true
		}
	}
	return len(field.Names) == 0
}

// The test finds every way in which a type can contain a model.
func TestModelsInAnswersAreSeen(t *testing.T) {
	t.Parallel()
	held := map[string]bool{"models.Patient": true, "service.Chart": true}
	for source, holding := range map[string]bool{
		"type a struct{ models.Patient }":                                                       true,
		"type a struct{ *models.Patient }":                                                      true,
		"type a struct{ Patient models.Patient `json:\"patient\"` }":                            true,
		"type a struct{ Patients []*models.Patient }":                                           true,
		"type a struct{ ByID map[string]models.Patient }":                                       true,
		"type a struct{ Inner struct{ Patient models.Patient } }":                               true,
		"type a struct{ Page page[models.Patient] }":                                            true,
		"type a struct{ Chart service.Chart }":                                                  true,
		"type a models.Patient":                                                                 true,
		"type a = models.Patient":                                                               true,
		"func f() { _ = struct{ Patient any; models.Patient }{} }":                              true,
		"var v = []struct{ P *models.Patient }{}":                                               true,
		"type a struct{ Contact models.ContactInfo }":                                           false,
		"type a struct{ patient *models.Patient }":                                              false,
		"type a struct{ Edit func(*models.Patient) error }":                                     false,
		"func f(p *models.Patient) { _ = models.Patient{} }":                                    false,
		"type a struct{ ID string `json:\"id\"` }; func newA(p *models.Patient) a { panic(p) }": false,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package handler\n"+source, parser.SkipObjectResolution)
		require.NoError(t, err)
		require.Equal(t, holding, len(structsHolding(t, []*ast.File{file}, held)) > 0, source)
	}
}
