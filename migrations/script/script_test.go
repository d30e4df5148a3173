package script_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/migrations/script"
)

const sqlite = "sqlite"

func texts(engine, text string) []string {
	var out []string
	for _, s := range script.Split(engine, text) {
		out = append(out, s.Text)
	}
	return out
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		engine, text string
		want         []string
	}{
		"nothing":                  {script.Postgres, " \n-- a;b\n/* c; */ ;; ", nil},
		"comments between":         {script.Postgres, "a; -- b;\n/* ; */ c", []string{"a;", "c"}},
		"nested comment":           {script.Postgres, "a /* /* ; */ ; */;b;", []string{"a /* /* ; */ ; */;", "b;"}},
		"comment that nests not":   {sqlite, "a /* /* ; */;b;", []string{"a /* /* ; */;", "b;"}},
		"strings":                  {script.Postgres, `a ';''' "b;""" E'\';';c;`, []string{`a ';''' "b;""" E'\';';`, "c;"}},
		"no escapes elsewhere":     {script.Postgres, `a '\';c;`, []string{`a '\';`, "c;"}},
		"dollar quotes":            {script.Postgres, "DO $$ a; $x$ $$; $b$ ; $$ $b$; c", []string{"DO $$ a; $x$ $$;", "$b$ ; $$ $b$;", "c"}},
		"dollars in names":         {script.Postgres, "a$b$; c$b$;", []string{"a$b$;", "c$b$;"}},
		"a parameter":              {script.Postgres, "a $1; b $1;", []string{"a $1;", "b $1;"}},
		"SQLite's quotes":          {sqlite, "a `;` [;] \";\" $$; b;", []string{"a `;` [;] \";\" $$;", "b;"}},
		"a rule's actions":         {script.Postgres, "CREATE RULE r AS ON INSERT TO t DO (a; b); c;", []string{"CREATE RULE r AS ON INSERT TO t DO (a; b);", "c;"}},
		"a function's body":        {script.Postgres, "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE a WHEN b THEN c END; d; END; e;", []string{"CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE a WHEN b THEN c END; d; END;", "e;"}},
		"a transaction":            {script.Postgres, "BEGIN; a; END; b;", []string{"BEGIN;", "a;", "END;", "b;"}},
		"a trigger":                {sqlite, "CREATE TEMP TRIGGER x BEGIN SELECT CASE 1 WHEN 2 THEN 3 END; b; END; c", []string{"CREATE TEMP TRIGGER x BEGIN SELECT CASE 1 WHEN 2 THEN 3 END; b; END;", "c"}},
		"a trigger's condition":    {sqlite, "CREATE TRIGGER x BEFORE UPDATE ON t WHEN CASE a WHEN b THEN c END BEGIN d; END; e;", []string{"CREATE TRIGGER x BEFORE UPDATE ON t WHEN CASE a WHEN b THEN c END BEGIN d; END;", "e;"}},
		"what is not closed":       {script.Postgres, "a; 'b; c", []string{"a;", "'b; c"}},
		"a quote at the end":       {script.Postgres, "E'\\", []string{"E'\\"}},
		"a body that has no end":   {sqlite, "CREATE TRIGGER x BEGIN a; b;", []string{"CREATE TRIGGER x BEGIN a; b;"}},
		"parentheses out of order": {sqlite, "a )); b;", []string{"a ));", "b;"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, texts(test.engine, test.text))
		})
	}
}

func TestStatementsKnowTheirLines(t *testing.T) {
	t.Parallel()
	all := script.Split(sqlite, "-- one\nALTER -- x\nTABLE a;\n\nb;")
	require.Len(t, all, 2)
	require.Equal(t, 2, all[0].Line)
	require.Equal(t, 5, all[1].Line)
	require.True(t, all[0].Begins("alter", "table"))
	require.False(t, all[1].Begins("b", ";", "c"))
}

func TestNamesWithoutQuotes(t *testing.T) {
	t.Parallel()
	var names []string
	for _, token := range script.Tokens(sqlite, "Abc \"D\"\"e\" `f` [g h]") {
		names = append(names, token.Name())
	}
	require.Equal(t, []string{"abc", `d"e`, "f", "g h"}, names)
}

func TestDirectives(t *testing.T) {
	t.Parallel()
	found := script.Directives(script.Postgres, "-- migrate:no-transaction\r\n"+
		"SELECT '\n-- lint:allow no\n'; -- lint:allow a-rule  since it is so \n--lint:x\n-- lint: none\n-- as lint:allow says\n/* lint:allow no */")
	require.Equal(t, []script.Directive{
		{Name: "migrate:no-transaction", Start: 0, Line: 1, Alone: true},
		{Name: "lint:allow", Argument: "a-rule  since it is so", Start: 56, Line: 4},
		{Name: "lint:x", Start: 94, Line: 5, Alone: true},
	}, found)
}

// Statements and comments of any text are in the order of the text, and hold every one of its tokens.
func FuzzSplit(f *testing.F) {
	files := os.DirFS("..")
	names, err := fs.Glob(files, "*.sql")
	require.NoError(f, err)
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		require.NoError(f, err)
		f.Add(strings.Contains(name, "."+script.Postgres+"."), string(text))
	}
	f.Add(true, "$a$ 'b' E'\\")
	f.Add(false, "CREATE TRIGGER [ BEGIN `")
	f.Fuzz(func(t *testing.T, postgres bool, text string) {
		engine := sqlite
		if postgres {
			engine = script.Postgres
		}
		tokens, held := 0, 0
		at := 0
		for _, token := range script.Tokens(engine, text) {
			require.GreaterOrEqual(t, token.Start, at)
			require.Equal(t, text[token.Start:token.End()], token.Text)
			require.Empty(t, strings.Trim(text[at:token.Start], " \t\r\n\f\v"))
			at = token.End()
			if token.Kind != script.Comment && !token.Is(";") {
				tokens++
			}
		}
		at = 0
		for _, s := range script.Split(engine, text) {
			require.GreaterOrEqual(t, s.Start, at)
			require.Equal(t, text[s.Start:s.End()], s.Text)
			at = s.End()
			for _, token := range s.Tokens {
				if !token.Is(";") {
					held++
				}
			}
		}
		require.Equal(t, tokens, held)
		script.Directives(engine, text)
	})
}
