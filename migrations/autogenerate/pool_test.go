package autogenerate

import (
	"context"
	"os"
	"sync"
	"testing"

	"gorm.io/gorm"

	"novamind/internal/dbtest"
	"novamind/internal/scratch"
)

// pool lends scratch databases of PostgreSQL and empties them afterwards: making one takes longer than all that a scenario does with it.
var pool struct {
	sync.Mutex

	source scratch.Source
	free   []*gorm.DB
	drops  []func()
}

func TestMain(m *testing.M) {
	status := m.Run()
	for _, drop := range pool.drops {
		drop()
	}
	os.Exit(status)
}

// pooled returns a source of the pool.
func pooled(tb testing.TB) scratch.Source {
	pool.Lock()
	defer pool.Unlock()
	if pool.source == nil {
		pool.source = scratch.Beside(dbtest.PostgresServer(tb))
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

// giveBack empties a database and puts it back; one that can't be emptied stays away.
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
