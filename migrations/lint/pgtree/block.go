package pgtree

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/wasilibs/go-pgquery/parser"

	"novamind/internal/plural"
	"novamind/migrations/script"
)

// Block is the content of a DO block.
type Block struct {
	Statements []Statement // static SQL, with the places of the script
	Dynamic    []int       // places where SQL that is put together at run time is executed
	Control    []int       // places of COMMIT and ROLLBACK
}

// ErrLanguage says that a DO block is not in PL/pgSQL.
var ErrLanguage = errors.New("it is not in PL/pgSQL")

// Block returns the statements of the DO block at s, for every outcome of its conditions. text is the script.
func (s Statement) Block(text string) (Block, error) {
	end := len(text)
	for _, other := range script.Split(script.Postgres, text) {
		if other.Start == s.Start {
			end = other.End()
			if tooDeep(other) {
				return Block{}, errDeep
			}
		}
	}
	line := script.Line(text, s.Start)
	for _, option := range s.Node.Do.Args {
		var language String
		switch option.Name {
		case "language":
			if err := json.Unmarshal(option.Arg, &language); err != nil || language.Value != "plpgsql" {
				return Block{}, ErrLanguage
			}
		case "as":
			line = script.Line(text, s.At(option.Location))
		}
	}
	tree, err := guarded(parser.ParsePlPgSqlToJSON, text[s.Start:end])
	if err != nil {
		return Block{}, err
	}
	var block Block
	walk(json.RawMessage(tree), func(kind string, body json.RawMessage) {
		block.add(kind, body, func(lineno int) int { return placeOf(text, line+max(lineno, 1)-1) })
	})
	return block, nil
}

// placeOf returns the beginning of a line of text, in bytes.
func placeOf(text string, line int) int {
	at := 0
	for i := range text {
		if line <= 1 {
			break
		}
		if text[i] == '\n' {
			line--
			at = i + 1
		}
	}
	return at
}

type plExpr struct {
	Expr struct {
		Query string
		Mode  int `json:"parseMode"` // 0: a statement
	} `json:"PLpgSQL_expr"`
}

// add adds one node of the block's tree.
func (b *Block) add(kind string, body json.RawMessage, place func(lineno int) int) {
	var node struct {
		Lineno   int
		Sqlstmt  plExpr
		Expr     plExpr
		Query    plExpr
		DynQuery *plExpr `json:"dynquery"`
	}
	if json.Unmarshal(body, &node) != nil {
		return
	}
	switch kind {
	case "PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors":
		b.Dynamic = append(b.Dynamic, place(node.Lineno))
	case "PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback":
		b.Control = append(b.Control, place(node.Lineno))
	case "PLpgSQL_stmt_execsql":
		b.statement(node.Sqlstmt.Expr.Query, place(node.Lineno))
	case "PLpgSQL_stmt_perform", "PLpgSQL_stmt_call":
		b.statement(node.Expr.Expr.Query, place(node.Lineno))
	case "PLpgSQL_stmt_fors":
		b.statement(node.Query.Expr.Query, place(node.Lineno))
	}
	if node.DynQuery != nil {
		b.Dynamic = append(b.Dynamic, place(node.Lineno))
	}
}

func (b *Block) statement(query string, place int) {
	statement := Statement{Start: place, block: true}
	nodes, err := parse(query, slices.ContainsFunc(script.Split(script.Postgres, query), tooDeep))
	switch {
	case err != nil:
		statement.Problem = err
	case len(nodes) != 1:
		statement.Problem = errors.New("it reads as " + plural.Count(len(nodes), "statement", "statements"))
	default:
		statement.Node = nodes[0]
	}
	b.Statements = append(b.Statements, statement)
}
