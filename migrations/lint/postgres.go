package lint

import (
	"errors"
	"fmt"
	"slices"

	"novamind/migrations/lint/pgtree"
)

var (
	notJudged = Rule{
		"not-judged", "Statement that can't be judged: not known to the grammar or to the rules, put together at run time, or hidden in a function",
		"no other rule looks at it",
		"write it as plain SQL; or read it yourself, try it with --explain, and allow it",
	}
	transactionControl = Rule{
		"transaction-control", "BEGIN, COMMIT, ROLLBACK or SAVEPOINT in a migration",
		"the runner's transaction holds the bookkeeping too: ended early, a crash leaves a version half applied",
		"take it out; `-- migrate:no-transaction` is for what can't run in a transaction",
	}
)

// postgres follows the schema through the files of one engine.
type postgres struct {
	schema    schema
	functions map[string]bool // functions that migrations made
}

// judgePostgres judges the files and returns the schema that the up files make.
func judgePostgres(files []*file) schema {
	p := &postgres{schema: schema{}, functions: map[string]bool{}}
	for _, f := range files {
		if !f.up {
			p.down(f)
			continue
		}
		p.up(f)
	}
	judgeReversals(files)
	return p.schema
}

func (p *postgres) up(f *file) {
	f.before = p.schema.clone()
	run := &pgRun{postgres: p, file: f, created: map[string]bool{}, dropped: map[object]bool{}, timeout: true}
	for _, s := range pgtree.Parse(f.text) {
		run.statement(s, upChecks)
	}
	run.judgeBackfills()
	f.after = p.schema.clone()
	f.judgeEffects()
}

// down applies only the rules about statements that fail. A file that takes a fault back may lock, and drops the
// additions of the up file.
func (p *postgres) down(f *file) {
	aside := &postgres{schema: p.schema.clone(), functions: p.functions}
	run := &pgRun{postgres: aside, file: f, created: map[string]bool{}, dropped: map[object]bool{}, timeout: true}
	for _, s := range pgtree.Parse(f.text) {
		run.statement(s, downChecks)
	}
}

// pgRun is the state of judging one file.
type pgRun struct {
	*postgres

	file    *file
	created map[string]bool // tables that are new in this file: nobody waits for them, and they are small
	dropped map[object]bool // constraints that this file drops with IF EXISTS
	timeout bool            // a lock_timeout is in effect, as the runner sets one
	locks   []string        // older tables that a statement so far locks against writers or readers
	rows    []pgCase        // statements that touch rows of older tables
}

// pgCase is one statement before a check.
type pgCase struct {
	run  *pgRun
	tree pgtree.Statement
	node pgtree.Node
}

func (c pgCase) reportf(rule Rule, at int, format string, args ...any) {
	c.run.file.report(rule, at, fmt.Sprintf(format, args...))
}

// exists reports whether a table is older than this file. An unknown table counts as older.
func (c pgCase) exists(table pgtree.RangeVar) bool { return !c.run.created[table.Full()] }

// upChecks judge the statements of an up file, each by one or a few rules.
var upChecks = []func(pgCase){
	checkControl, checkHidden, checkKnown, checkIndexes, checkInTransaction, checkNames, checkAlter, checkTypes, checkLockTimeout, checkHeavy, checkRows, checkUpdates,
	checkDrops, checkExistence, checkRepeatable,
}

var downChecks = []func(pgCase){checkControl, checkHidden, checkKnown, checkInTransaction, checkRepeatable}

func (r *pgRun) statement(s pgtree.Statement, checks []func(pgCase)) {
	if s.Problem != nil {
		r.file.report(notJudged, s.Start, "PostgreSQL 17's grammar does not know this statement")
		return
	}
	if s.Node.Do != nil {
		r.block(s, checks)
		return
	}
	c := pgCase{run: r, tree: s, node: s.Node}
	for _, check := range checks {
		check(c)
	}
	for _, table := range c.locked() {
		if !r.created[table] && !slices.Contains(r.locks, table) {
			r.locks = append(r.locks, table)
		}
	}
	before := r.schema.clone()
	r.apply(s)
	r.file.note(before, r.schema, s.Start, s.Node.Rename != nil)
}

// block judges the statements of a DO block, as if every branch were taken.
func (r *pgRun) block(s pgtree.Statement, checks []func(pgCase)) {
	block, err := s.Block(r.file.text)
	if err != nil {
		why := "this DO block can't be parsed"
		if errors.Is(err, pgtree.ErrLanguage) {
			why = "this DO block is not in PL/pgSQL"
		}
		r.file.report(notJudged, s.Start, why)
		return
	}
	for _, at := range block.Dynamic {
		r.file.report(notJudged, at, "EXECUTE of a statement that is put together at run time")
	}
	for _, at := range block.Control {
		r.file.report(transactionControl, at, "a DO block that ends its transaction")
	}
	for _, inner := range block.Statements {
		r.statement(inner, checks)
	}
}

func checkControl(c pgCase) {
	if c.node.Kind == "TransactionStmt" {
		c.reportf(transactionControl, c.tree.Start, "the runner's transaction is not the file's to end")
	}
}

// checkHidden reports calls that execute SQL from elsewhere.
func checkHidden(c pgCase) {
	switch c.node.Kind {
	case "CallStmt":
		c.reportf(notJudged, c.tree.Start, "a procedure is called, and what it does is not written here")
	case "SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt":
		for _, name := range pgtree.Functions(c.node.Raw) {
			if c.run.functions[name] {
				c.reportf(notJudged, c.tree.Start, "the function %s is called, and what it does is not written here", name)
			}
		}
	}
}
