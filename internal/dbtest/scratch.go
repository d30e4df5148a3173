package dbtest

import (
	"context"
	"sync"
	"testing"

	"gorm.io/gorm"

	"novamind/internal/scratch"
	"novamind/migrations"
)

// pool lends scratch databases of PostgreSQL and empties them afterwards: making a database takes longer than most
// tests' work with it.
var pool struct {
	sync.Mutex

	source scratch.Source
	free   []*gorm.DB
	drops  []func()
}

// DropScratch drops the databases that Scratch made. A package that uses Scratch calls it at the end of its
// TestMain.
func DropScratch() {
	pool.Lock()
	defer pool.Unlock()
	for _, drop := range pool.drops {
		drop()
	}
}

// Scratch returns a source of scratch databases on an engine.
func Scratch(tb testing.TB, engine string) scratch.Source {
	tb.Helper()
	if engine == migrations.SQLite {
		return scratch.Memory
	}
	pool.Lock()
	defer pool.Unlock()
	if pool.source == nil {
		pool.source = scratch.Beside(sharedPostgres(tb).server.String())
	}
	return lend
}

func lend(ctx context.Context) (*gorm.DB, func(), error) {
	pool.Lock()
	defer pool.Unlock()
	if last := len(pool.free) - 1; last >= 0 {
		db := pool.free[last]
		pool.free = pool.free[:last]
		return db, giveBack(db), nil
	}
	db, drop, err := pool.source(ctx)
	if err != nil {
		return nil, nil, err
	}
	pool.drops = append(pool.drops, drop)
	return db, giveBack(db), nil
}

// giveBack empties a database and returns it to the pool. A database that can't be emptied is not returned.
func giveBack(db *gorm.DB) func() {
	return func() {
		err := db.Exec("DROP SCHEMA public CASCADE").Error
		if err == nil {
			err = db.Exec("CREATE SCHEMA public").Error
		}
		pool.Lock()
		defer pool.Unlock()
		if err == nil {
			pool.free = append(pool.free, db)
		}
	}
}
