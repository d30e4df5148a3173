// Package script reads SQL scripts as text: their tokens, statements and directives. It knows each engine's quotes,
// comments and nesting, but not its grammar. So it accepts any text: an unclosed quote or comment ends with the text.
package script

import (
	"strings"
	"unicode/utf8"
)

// Postgres is the engine with its own quoting; every other name means SQLite.
const Postgres = "postgres"

// Kind is the kind of a token.
type Kind int

// The kinds of tokens.
const (
	Word    Kind = iota // a keyword, a name or a number
	Quoted              // a name in quotes
	Text                // a string, with its quotes
	Symbol              // any other character
	Comment             // with its marks
)

// Token is a piece of a script that has a meaning of its own. White space is not a token.
type Token struct {
	Kind  Kind
	Text  string // exactly as in the script
	Start int    // in bytes
}

// End returns the end of the token, in bytes.
func (t Token) End() int { return t.Start + len(t.Text) }

// Is reports whether the token is one of the keywords or symbols, in any case.
func (t Token) Is(words ...string) bool {
	if t.Kind != Word && t.Kind != Symbol {
		return false
	}
	for _, word := range words {
		if strings.EqualFold(t.Text, word) {
			return true
		}
	}
	return false
}

// Name returns the name that a word or a quoted name stands for, in lower case, as SQLite compares names.
func (t Token) Name() string {
	if t.Kind != Quoted || len(t.Text) < 2 {
		return strings.ToLower(t.Text)
	}
	mark := t.Text[len(t.Text)-1:]
	return strings.ToLower(strings.ReplaceAll(t.Text[1:len(t.Text)-1], mark+mark, mark))
}

// Tokens returns the tokens of text, including comments.
func Tokens(engine, text string) []Token {
	s := scanner{text: text, postgres: engine == Postgres}
	var tokens []Token
	for s.at < len(text) {
		start := s.at
		if kind, ok := s.next(); ok {
			tokens = append(tokens, Token{Kind: kind, Text: text[start:s.at], Start: start})
		}
	}
	return tokens
}

// WithoutComments returns text without its comments. It also removes the blanks before them and the lines that held
// nothing else.
func WithoutComments(engine, text string) string {
	var out strings.Builder
	at := 0
	for _, t := range Tokens(engine, text) {
		if t.Kind != Comment {
			continue
		}
		before := strings.TrimRight(text[at:t.Start], " \t")
		if at = t.End(); strings.HasSuffix(before, "\n") && strings.HasPrefix(text[at:], "\n") {
			before = before[:len(before)-1]
		}
		out.WriteString(before)
	}
	return out.String() + text[at:]
}

type scanner struct {
	text     string
	at       int
	postgres bool
}

// next moves past one token or one blank, and returns its kind.
func (s *scanner) next() (Kind, bool) {
	rest := s.text[s.at:]
	c := rest[0]
	switch {
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		s.at++
		return 0, false
	case strings.HasPrefix(rest, "--"):
		s.through("\n")
		return Comment, true
	case strings.HasPrefix(rest, "/*"):
		s.comment()
		return Comment, true
	case s.string():
		return Text, true
	case c == '"', !s.postgres && c == '`':
		s.quoted(c, false)
		return Quoted, true
	case !s.postgres && c == '[':
		s.through("]")
		return Quoted, true
	case partOfWord(c):
		for s.at < len(s.text) && (partOfWord(s.text[s.at]) || s.text[s.at] == '$') {
			s.at++
		}
		return Word, true
	default:
		_, size := utf8.DecodeRuneInString(rest)
		s.at += size
		return Symbol, true
	}
}

// string moves past a string, if there is one here.
func (s *scanner) string() bool {
	rest := s.text[s.at:]
	switch {
	case rest[0] == '\'':
		s.quoted('\'', false)
	case !s.postgres:
		return false
	case strings.HasPrefix(rest, "e'"), strings.HasPrefix(rest, "E'"):
		s.at++
		s.quoted('\'', true)
	case dollarTag(rest) != "":
		tag := dollarTag(rest)
		s.at += len(tag)
		s.through(tag)
	default:
		return false
	}
	return true
}

// through moves past the next mark. A line break that ends a comment stays, so that a line keeps its end.
func (s *scanner) through(mark string) {
	i := strings.Index(s.text[s.at:], mark)
	switch {
	case i < 0:
		s.at = len(s.text)
	case mark == "\n":
		s.at += i
	default:
		s.at += i + len(mark)
	}
}

// comment moves past a block comment. Only PostgreSQL's block comments nest.
func (s *scanner) comment() {
	for depth := 0; s.at < len(s.text); {
		rest := s.text[s.at:]
		switch {
		case strings.HasPrefix(rest, "/*") && (depth == 0 || s.postgres):
			depth++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			s.at += 2
		default:
			s.at++
		}
		if depth == 0 {
			return
		}
	}
}

// quoted moves past a quoted text. A doubled quote is one quote. With escapes, a backslash takes the next character
// along.
func (s *scanner) quoted(quote byte, escapes bool) {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case escapes && c == '\\':
			s.at++
		case c == quote && strings.HasPrefix(s.text[s.at+1:], string(quote)):
			s.at++
		case c == quote:
			s.at++
			return
		}
	}
	s.at = len(s.text)
}

func partOfWord(c byte) bool {
	return c == '_' || c >= utf8.RuneSelf || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// dollarTag returns the opening quote at the beginning of text, such as $$ or $body$, or "".
func dollarTag(text string) string {
	if text[0] != '$' {
		return ""
	}
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$':
			return text[:i+1]
		case !partOfWord(c), i == 1 && '0' <= c && c <= '9':
			return ""
		}
	}
	return ""
}
