// Package pgtree parses PostgreSQL's SQL with PostgreSQL's own grammar: libpg_query (of PostgreSQL 17), compiled to
// WebAssembly and run without cgo. The first parse of a process takes about a second, to compile the grammar.
package pgtree

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/wasilibs/go-pgquery/parser"

	"novamind/internal/plural"
	"novamind/migrations/script"
)

// Statement is one statement of a script. Without a tree, Problem states the reason.
type Statement struct {
	Node    Node
	Problem error
	Start   int // the place of its first word in the script, in bytes

	base  int  // added to a place in the tree, gives the place in the script
	block bool // it stands in a DO block, whose tree only has line numbers
}

// At returns the place in the script of a location in the tree, in bytes.
func (s Statement) At(location int) int {
	if s.block {
		return s.Start
	}
	return s.base + location
}

// Parse returns the statements of text. It never fails. If the grammar does not know the text as a whole, statements
// are parsed one by one, and unknown statements have a Problem.
func Parse(text string) []Statement {
	split := script.Split(script.Postgres, text)
	deep := slices.ContainsFunc(split, tooDeep)
	if nodes, err := parse(text, deep); err == nil && len(nodes) == len(split) {
		statements := make([]Statement, len(nodes))
		for i, node := range nodes {
			statements[i] = Statement{Node: node, Start: split[i].Start}
		}
		return statements
	}
	statements := make([]Statement, 0, len(split))
	for _, s := range split {
		statement := Statement{Start: s.Start, base: s.Start}
		nodes, err := parse(s.Text, tooDeep(s))
		switch {
		case err != nil:
			statement.Problem = err
		case len(nodes) != 1:
			statement.Problem = errors.New("it reads as " + plural.Count(len(nodes), "statement", "statements"))
		default:
			statement.Node = nodes[0]
		}
		statements = append(statements, statement)
	}
	return statements
}

// parse returns the trees of text's statements.
func parse(text string, deep bool) ([]Node, error) {
	switch {
	case strings.ContainsRune(text, 0): // the parser would stop there
		return nil, errors.New("it holds a NUL byte")
	case deep:
		return nil, errDeep
	}
	tree, err := guarded(parser.ParseToJSON, text)
	if err != nil {
		return nil, err
	}
	var result struct {
		Stmts []struct{ Stmt Node }
	}
	if err := json.Unmarshal([]byte(tree), &result); err != nil {
		return nil, fmt.Errorf("the parser's answer can't be read: %w", err)
	}
	nodes := make([]Node, 0, len(result.Stmts))
	for _, s := range result.Stmts {
		nodes = append(nodes, s.Stmt)
	}
	return nodes, nil
}

var (
	errDeep   = errors.New("it nests too deep for the parser")
	errBroken = errors.New("the parser broke down on another statement, and is not to be believed any more")
)

// one lets one text be parsed at a time. If a parser is called while its instances are busy, it compiles another
// instance, which takes a second of each processor and much memory. A parse takes a millisecond.
var one sync.Mutex

// broken is set once the parser has panicked, because it keeps the broken instance and would use it again. It is read
// and set under one.
var broken bool

// guarded turns a panic of the parser into an error.
func guarded(parse func(string) (string, error), text string) (tree string, err error) {
	one.Lock()
	defer one.Unlock()
	if broken {
		return "", errBroken
	}
	defer func() {
		if cause := recover(); cause != nil {
			broken = true
			err = fmt.Errorf("the parser broke down: %.100v", cause)
		}
	}()
	return parse(text)
}
