// Package pgtree parses PostgreSQL's SQL with PostgreSQL's own grammar: libpg_query (of PostgreSQL 17), compiled to WebAssembly and run
// without cgo. The first parse of a process takes about a second, to compile it.
package pgtree

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/wasilibs/go-pgquery/parser"

	"novamind/migrations/script"
)

// Statement is one statement of a script. Without a tree, Problem says why it has none.
type Statement struct {
	Node    Node
	Problem error
	Start   int // where its first word stands in the script, in bytes

	base  int  // what makes a place in the tree one in the script
	block bool // it stands in a DO block, whose tree knows lines alone
}

// At returns where in the script a location of the tree is, in bytes.
func (s Statement) At(location int) int {
	if s.block {
		return s.Start
	}
	return s.base + location
}

// Parse returns the statements of text. It never fails: where the grammar does not know the text as a whole, statements are parsed one by
// one, and those that it does not know have a Problem.
func Parse(text string) []Statement {
	split := script.Split(script.Postgres, text)
	if nodes, err := parse(text); err == nil && len(nodes) == len(split) {
		statements := make([]Statement, len(nodes))
		for i, node := range nodes {
			statements[i] = Statement{Node: node, Start: split[i].Start}
		}
		return statements
	}
	statements := make([]Statement, 0, len(split))
	for _, s := range split {
		statement := Statement{Start: s.Start, base: s.Start}
		nodes, err := parse(s.Text)
		switch {
		case err != nil:
			statement.Problem = err
		case len(nodes) != 1:
			statement.Problem = fmt.Errorf("it reads as %d statements", len(nodes))
		default:
			statement.Node = nodes[0]
		}
		statements = append(statements, statement)
	}
	return statements
}

// parse returns the trees of text's statements.
func parse(text string) ([]Node, error) {
	if strings.ContainsRune(text, 0) { // at which the parser would stop
		return nil, errors.New("it holds a NUL byte")
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

// guarded turns a panic of the parser, such as for want of stack in a deeply nested expression, into an error.
func guarded(parse func(string) (string, error), text string) (tree string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the parser gave up: %.100v", cause)
		}
	}()
	return parse(text)
}
