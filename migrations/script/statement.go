package script

import "strings"

// Statement is one statement of a script, from its first word to its semicolon.
type Statement struct {
	Text   string
	Start  int     // in bytes
	Line   int     // from 1
	Tokens []Token // without comments; Start counts from the script's beginning
}

// End returns the end of the statement, in bytes.
func (s Statement) End() int { return s.Start + len(s.Text) }

// Begins reports whether the statement begins with the keywords.
func (s Statement) Begins(words ...string) bool {
	if len(s.Tokens) < len(words) {
		return false
	}
	for i, word := range words {
		if !s.Tokens[i].Is(word) {
			return false
		}
	}
	return true
}

// Split returns the statements of text. The bodies of SQLite's triggers and of PostgreSQL's SQL functions stay parts
// of one statement.
func Split(engine, text string) []Statement {
	var statements []Statement
	var open []Token
	n := nesting{postgres: engine == Postgres}
	for _, token := range Tokens(engine, text) {
		if token.Kind == Comment || len(open) == 0 && token.Is(";") {
			continue
		}
		open = append(open, token)
		if n.ends(open) {
			statements = append(statements, statementOf(text, open))
			open, n = nil, nesting{postgres: n.postgres}
		}
	}
	if len(open) > 0 {
		statements = append(statements, statementOf(text, open))
	}
	return statements
}

func statementOf(text string, tokens []Token) Statement {
	start, end := tokens[0].Start, tokens[len(tokens)-1].End()
	return Statement{Text: text[start:end], Start: start, Line: Line(text, start), Tokens: tokens}
}

// Line returns the line, from 1, of a place in text.
func Line(text string, at int) int { return 1 + strings.Count(text[:min(at, len(text))], "\n") }

// nesting tracks the parts of one statement that may hold semicolons of their own.
type nesting struct {
	postgres bool
	parens   int
	blocks   int  // BEGIN and CASE that have no END yet
	compound bool // creates an object with a body
}

// ends reports whether the last token ends the statement.
func (n *nesting) ends(tokens []Token) bool {
	last := tokens[len(tokens)-1]
	switch {
	case last.Is("("):
		n.parens++
	case last.Is(")"):
		n.parens = max(0, n.parens-1)
	case last.Is(";"):
		return n.parens == 0 && n.blocks == 0
	case n.compound:
		n.block(tokens)
	case len(tokens) <= 5 && tokens[0].Is("CREATE"):
		n.compound = n.postgres && last.Is("FUNCTION", "PROCEDURE") || !n.postgres && last.Is("TRIGGER")
	}
	return false
}

// block counts the blocks of a body: once it has begun, a CASE has an END too.
func (n *nesting) block(tokens []Token) {
	last := tokens[len(tokens)-1]
	switch {
	case n.blocks == 0:
		if n.begins(tokens) {
			n.blocks = 1
		}
	case last.Is("CASE"):
		n.blocks++
	case last.Is("END"):
		n.blocks--
	}
}

// begins reports whether the last token begins a body: BEGIN on SQLite, BEGIN ATOMIC on PostgreSQL.
func (n *nesting) begins(tokens []Token) bool {
	last := tokens[len(tokens)-1]
	if n.postgres {
		return last.Is("ATOMIC") && tokens[len(tokens)-2].Is("BEGIN")
	}
	return last.Is("BEGIN")
}
