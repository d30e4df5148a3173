package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documents show the present tables of the code.
func TestDocumentsShowTheTables(t *testing.T) {
	t.Parallel()
	pages, err := pages("../..")
	require.NoError(t, err)
	require.Len(t, pages, 3)
	for path, want := range pages {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(text), "%s differs from the code: run make docs", path)
	}
}

// A page without the place of a table is refused, because nothing would be compared.
func TestPagesKeepThePlacesOfTheirTables(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "<!-- table a: make docs -->\n", "<!-- end of table a -->\n"} {
		_, err := withTable(text, "a", "new\n")
		require.Error(t, err)
	}
	text, err := withTable("x\n<!-- table a: make docs -->\nold\n<!-- end of table a -->\ny\n", "a", "new\n")
	require.NoError(t, err)
	require.Equal(t, "x\n<!-- table a: make docs -->\nnew\n<!-- end of table a -->\ny\n", text)
}

// Operations are named by whole groups, the widest first, and the rest one by one.
func TestErrorsNameGroupsOfOperations(t *testing.T) {
	t.Parallel()
	login := []map[string][]string{{"bearer": {}}}
	alive := operation{method: "get", path: "/healthz"}
	ready := operation{method: "get", path: "/readyz"}
	own := operation{method: "get", path: "/api/v1/own", Security: login}
	needing := operation{method: "get", path: "/api/v1/x", Security: login, Permissions: []string{"p"}}
	all := []operation{alive, ready, own, needing}
	for _, test := range []struct {
		want  string
		these []operation
	}{
		{"all", all},
		{"all that need a login", []operation{own, needing}},
		{"all that need a login, `GET /healthz`", []operation{alive, own, needing}},
		{"all that need a permission", []operation{needing}},
		{"`GET /own`", []operation{own}},
		{"none", nil},
	} {
		require.Equal(t, test.want, inGroups(test.these, all))
	}
}
