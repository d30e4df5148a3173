package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// Stamp records every version up to and including target as applied, and the ones after it as not applied, without running
// anything. It returns the ids whose record changed, or ErrUnknownTarget, or ErrUnknownVersion.
func (r *Runner) Stamp(ctx context.Context, target string) ([]string, error) {
	last, err := r.set.Index(target)
	if err != nil {
		return nil, err
	}
	return r.correct(ctx, func(tx *gorm.DB, applied []record) (changed []string, err error) {
		for i, m := range r.set.Migrations {
			there := slices.ContainsFunc(applied, func(a record) bool { return a.ID == m.ID })
			statement, d := "INSERT INTO "+Table+" (id) VALUES (?)", stamp
			switch {
			case there == (i <= last):
				continue
			case there:
				statement, d = "DELETE FROM "+Table+" WHERE id = ?", unstamp
			}
			if err := tx.Exec(statement, m.ID).Error; err != nil {
				return nil, err
			}
			if err := r.writeLog(tx, m, d, time.Now()); err != nil {
				return nil, err
			}
			changed = append(changed, m.ID)
		}
		return changed, nil
	})
}

// Repair accepts the program's form of every applied version that was edited since, or whose run was never logged. It returns
// their ids, or ErrUnknownVersion.
func (r *Runner) Repair(ctx context.Context) ([]string, error) {
	return r.correct(ctx, func(tx *gorm.DB, applied []record) (changed []string, err error) {
		for _, m := range r.set.Migrations {
			if !slices.ContainsFunc(applied, func(a record) bool { return a.ID == m.ID && a.Checksum != m.Checksum }) {
				continue
			}
			if err := r.writeLog(tx, m, repair, time.Now()); err != nil {
				return nil, err
			}
			changed = append(changed, m.ID)
		}
		return changed, nil
	})
}

// correct lets fn change the history in one transaction, alone.
func (r *Runner) correct(ctx context.Context, fn func(tx *gorm.DB, applied []record) ([]string, error)) (changed []string, err error) {
	err = r.exclusively(ctx, func(conn *gorm.DB) error {
		return conn.Transaction(func(tx *gorm.DB) error {
			if err := r.engine.keepBooks(tx); err != nil {
				return err
			}
			applied, err := r.engine.readHistory(tx)
			if err != nil {
				return err
			}
			for _, a := range applied {
				if r.set.Find(a.ID) < 0 {
					return fmt.Errorf("%w: %s", ErrUnknownVersion, a.ID)
				}
			}
			changed, err = fn(tx, applied)
			return err
		})
	})
	return changed, err
}
