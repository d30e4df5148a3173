// Package explain executes PostgreSQL migrations on a scratch database, and reports the locks and rewrites of each
// statement. It judges statements that the lint can't judge.
package explain

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/script"
)

// Lock is a lock on a table that was there before the file.
type Lock struct {
	Table string `json:"table"`
	Mode  string `json:"mode"` // "AccessExclusiveLock"
}

// Effect is the effect of one statement on tables that were there before its file.
type Effect struct {
	File      string   `json:"file"`
	Line      int      `json:"line"`
	Statement string   `json:"statement"` // its first words
	Locks     []Lock   `json:"locks"`
	Rewritten []string `json:"rewritten"` // tables and indexes that got another file on disk; an index that was made anew is not counted
	Unseen    bool     `json:"unseen"`    // it ran outside a transaction, so its locks were gone before they could be read
}

// Run executes the up files of set on a new database. It returns the statements with an effect on tables that were
// there before their file, or an error that names the failed statement.
func Run(ctx context.Context, source scratch.Source, set migrations.Set) ([]Effect, error) {
	db, drop, err := source(ctx)
	if err != nil {
		return nil, err
	}
	defer drop()
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	effects := []Effect{}
	for _, m := range set.Migrations {
		old, err := relations(ctx, conn)
		if err != nil {
			return nil, err
		}
		file := m.ID + "." + migrations.Postgres + ".up.sql"
		outside := migrations.Declares(migrations.Postgres, m.Up, migrations.NoTransaction)
		for _, s := range script.Split(migrations.Postgres, m.Up) {
			e, err := execute(ctx, conn, s, old, outside)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", file, s.Line, err)
			}
			e.File, e.Line, e.Statement = file, s.Line, beginning(s.Text)
			if len(e.Locks)+len(e.Rewritten) > 0 || e.Unseen {
				effects = append(effects, e)
			}
		}
	}
	return effects, nil
}

// beginning returns the first words of a statement, in one line.
func beginning(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	const most = 72
	if runes := []rune(words); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return words
}

// relation is a table or an index.
type relation struct {
	name string
	file int64 // on disk
}

func relations(ctx context.Context, conn *sql.Conn) (map[int64]relation, error) {
	rows, err := conn.QueryContext(ctx, `SELECT c.oid::bigint, c.relname, c.relfilenode::bigint FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'm', 'i') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := map[int64]relation{}
	for rows.Next() {
		var oid int64
		var r relation
		if err := rows.Scan(&oid, &r.name, &r.file); err != nil {
			return nil, err
		}
		all[oid] = r
	}
	return all, rows.Err()
}

// execute runs one statement and compares. The statement runs in a transaction of its own, unless it must run outside
// of any.
func execute(ctx context.Context, conn *sql.Conn, s script.Statement, old map[int64]relation, outside bool) (Effect, error) {
	before, err := relations(ctx, conn)
	if err != nil {
		return Effect{}, err
	}
	e := Effect{Locks: []Lock{}, Rewritten: []string{}, Unseen: outside}
	if outside {
		_, err = conn.ExecContext(ctx, s.Text)
	} else {
		e.Locks, err = locking(ctx, conn, s.Text, old)
	}
	if err != nil {
		return Effect{}, err
	}
	after, err := relations(ctx, conn)
	if err != nil {
		return Effect{}, err
	}
	for oid, r := range after {
		if _, known := old[oid]; known && before[oid].file != r.file {
			e.Rewritten = append(e.Rewritten, r.name)
		}
	}
	slices.Sort(e.Rewritten)
	return e, nil
}

// locking runs a statement in a transaction and returns the locks that it holds on old tables at its end.
func locking(ctx context.Context, conn *sql.Conn, statement string, old map[int64]relation) ([]Lock, error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, statement); err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT l.relation::bigint, l.mode FROM pg_locks l
		WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	locks := []Lock{}
	for rows.Next() {
		var oid int64
		var mode string
		if err := rows.Scan(&oid, &mode); err != nil {
			return nil, err
		}
		if r, known := old[oid]; known {
			locks = append(locks, Lock{Table: r.name, Mode: mode})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	slices.SortFunc(locks, func(a, b Lock) int { return slices.Compare([]string{a.Table, a.Mode}, []string{b.Table, b.Mode}) })
	return locks, tx.Commit()
}
