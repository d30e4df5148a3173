package pgtree_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/migrations/lint/pgtree"
)

// Statements that would overflow the parser's stack are refused before, and later statements are parsed. The cases
// run one after the other, because a broken instance of the parser would be used again.
func TestDeepStatementsAreRefused(t *testing.T) {
	t.Parallel()
	for name, nest := range map[string]func(n int) string{
		"parentheses": func(n int) string { return "SELECT " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) },
		"operators":   func(n int) string { return "SELECT 1" + strings.Repeat("+1", n) },
		"casts":       func(n int) string { return "SELECT a" + strings.Repeat("::int", n) },
		"not":         func(n int) string { return "SELECT " + strings.Repeat("NOT ", n) + "a" },
		"subqueries":  func(n int) string { return "SELECT " + strings.Repeat("(SELECT ", n) + "1" + strings.Repeat(")", n) },
		"in from": func(n int) string {
			return "SELECT 1 FROM " + strings.Repeat("(SELECT 1 FROM ", n) + "t" + strings.Repeat(") x", n)
		},
		"unions": func(n int) string { return "SELECT 1" + strings.Repeat(" UNION SELECT 1", n) },
		"cases": func(n int) string {
			return "SELECT " + strings.Repeat("CASE WHEN a THEN ", n) + "1" + strings.Repeat(" END", n)
		},
		"calls": func(n int) string { return "SELECT " + strings.Repeat("f(", n) + "1" + strings.Repeat(")", n) },
		"joins": func(n int) string { return "SELECT 1 FROM t" + strings.Repeat(" JOIN t ON a", n) },
		"blocks": func(n int) string {
			return "DO $$ " + strings.Repeat("BEGIN ", n) + "NULL; " + strings.Repeat("END; ", n) + "$$"
		},
		"a condition": func(n int) string {
			return "DO $$ BEGIN IF " + strings.Repeat("NOT ", n) + "a THEN NULL; END IF; END; $$"
		},
		"ifs": func(n int) string {
			return "DO $$ BEGIN " + strings.Repeat("IF a THEN ", n) + "NULL; " + strings.Repeat("END IF; ", n) + "END $$"
		},
	} {
		for n := 1; n < 10_000; n = n*3/2 + 1 {
			text := nest(n) + ";\nDROP TABLE x;"
			all := pgtree.Parse(text)
			require.Len(t, all, 2)
			require.NoError(t, all[1].Problem, "after %d %s", n, name)
			require.NotNil(t, all[1].Node.Drop, "after %d %s", n, name)
			if all[0].Node.Do != nil {
				_, err := all[0].Block(text)
				require.NoError(t, err, "%d %s", n, name)
			}
			if n < 30 {
				require.NoError(t, all[0].Problem, "%d %s", n, name)
			}
		}
	}
}

// Long lists are not deep.
func TestLongStatementsAreParsed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"INSERT INTO t VALUES (1)" + strings.Repeat(", (1 + 1)", 5000),
		"CREATE TABLE t (a int" + strings.Repeat(", b numeric(10, 2) DEFAULT (1)", 1500) + ")",
		"SELECT a IN (1" + strings.Repeat(", 1", 5000) + ")",
		"SELECT 1" + strings.Repeat("; SELECT 1", 2000),
	} {
		for _, s := range pgtree.Parse(text) {
			require.NoError(t, s.Problem)
		}
	}
}

func TestANULByteIsRefused(t *testing.T) {
	t.Parallel()
	require.Error(t, pgtree.Parse("SELECT 1\x00; DROP TABLE x")[0].Problem)
}
