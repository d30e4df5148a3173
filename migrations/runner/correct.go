package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"novamind/migrations"
)

// Stamp records every version up to and including target as applied, and the later versions as not applied, without
// running anything. With purge it also forgets the versions that only the database knows. It returns the ids whose
// record changed. It returns ErrUnknownTarget, or, without purge, ErrUnknownVersion.
func (r *Runner) Stamp(ctx context.Context, target string, purge bool) ([]string, error) {
	last, err := r.set.Index(target)
	if err != nil {
		return nil, err
	}
	return r.correct(ctx, func(tx *gorm.DB, applied []record) (changed []string, err error) {
		if !purge {
			if err := known(r.set, applied); err != nil {
				return nil, err
			}
		}
		for i, m := range r.set.Migrations {
			there := slices.ContainsFunc(applied, func(a record) bool { return a.ID == m.ID })
			if there == (i <= last) {
				continue
			}
			note := stamp
			if there {
				note = unstamp
			}
			if err := r.mark(tx, m, note); err != nil {
				return nil, err
			}
			changed = append(changed, m.ID)
		}
		for _, a := range applied {
			if r.set.Find(a.ID) >= 0 {
				continue
			}
			if err := r.mark(tx, migrations.Migration{ID: a.ID, Checksum: a.Checksum}, unstamp); err != nil {
				return nil, err
			}
			changed = append(changed, a.ID)
		}
		return changed, nil
	})
}

// mark records a version as applied (stamp) or not (unstamp).
func (r *Runner) mark(tx *gorm.DB, m migrations.Migration, d direction) error {
	statement := "INSERT INTO " + Table + " (id) VALUES (?)"
	if d == unstamp {
		statement = "DELETE FROM " + Table + " WHERE id = ?"
	}
	if err := tx.Exec(statement, m.ID).Error; err != nil {
		return err
	}
	return r.writeLog(tx, m, d, time.Now(), "")
}

// known returns ErrUnknownVersion if the set lacks an applied version.
func known(set migrations.Set, applied []record) error {
	for _, a := range applied {
		if set.Find(a.ID) < 0 {
			return fmt.Errorf("%w: %s", ErrUnknownVersion, a.ID)
		}
	}
	return nil
}

// Repair accepts the program's form of every applied version that was edited since, or whose run was never logged. It
// returns their ids, or ErrUnknownVersion.
func (r *Runner) Repair(ctx context.Context) ([]string, error) {
	return r.correct(ctx, func(tx *gorm.DB, applied []record) (changed []string, err error) {
		if err := known(r.set, applied); err != nil {
			return nil, err
		}
		for _, m := range r.set.Migrations {
			if !slices.ContainsFunc(applied, func(a record) bool { return a.ID == m.ID && a.Checksum != m.Checksum }) {
				continue
			}
			if err := r.writeLog(tx, m, repair, time.Now(), ""); err != nil {
				return nil, err
			}
			changed = append(changed, m.ID)
		}
		return changed, nil
	})
}

// correct lets fn change the history in one transaction, while no other runner works.
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
			changed, err = fn(tx, applied)
			return err
		})
	})
	return changed, err
}
