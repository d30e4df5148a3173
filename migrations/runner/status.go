package runner

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"novamind/migrations"
)

// State is the state of one version in one database.
type State struct {
	Version   string     `json:"version"`
	Name      string     `json:"name"`
	ID        string     `json:"id"`
	Applied   bool       `json:"applied"`
	AppliedAt *time.Time `json:"applied_at"` // UTC; nil when pending, or never logged
	Edited    bool       `json:"edited"`     // applied with a content that differs from the program's
	Unknown   bool       `json:"unknown"`    // applied, but not in the program
}

// Status returns every version of the set, and every version that only the database knows, oldest first. It takes no
// lock and changes nothing.
func (r *Runner) Status(ctx context.Context) ([]State, error) {
	applied, err := r.engine.readHistory(r.session(ctx))
	if err != nil {
		return nil, err
	}
	states := make([]State, 0, len(r.set.Migrations))
	for _, m := range r.set.Migrations {
		states = append(states, State{Version: m.Version, Name: m.Name, ID: m.ID})
	}
	for _, a := range applied {
		i := r.set.Find(a.ID)
		if i < 0 {
			i = len(states)
			number, name, _ := strings.Cut(a.ID, "_")
			states = append(states, State{Version: number, Name: name, ID: a.ID, Unknown: true})
		}
		states[i].Applied, states[i].AppliedAt = true, utc(a.AppliedAt)
		states[i].Edited = !states[i].Unknown && a.Checksum != r.set.Migrations[i].Checksum
	}
	slices.SortStableFunc(states, func(a, b State) int {
		return cmp.Or(migrations.CompareVersions(a.Version, b.Version), strings.Compare(a.ID, b.ID))
	})
	return states, nil
}

// Current returns the newest applied version of the set (nil if there is none), whether that version is the newest of
// all, and the ids of the applied versions that only the database knows.
func (r *Runner) Current(ctx context.Context) (current *State, head bool, unknown []string, err error) {
	states, err := r.Status(ctx)
	head = true
	for i := range states {
		switch {
		case states[i].Unknown:
			unknown = append(unknown, states[i].ID)
		case states[i].Applied:
			current, head = &states[i], true
		default:
			head = false
		}
	}
	return current, head && current != nil, unknown, err
}

// Untouched reports whether no migration ever ran on the database.
func (r *Runner) Untouched(ctx context.Context) (bool, error) {
	form, err := r.engine.books(r.session(ctx))
	return form == 0, err
}

// Pending returns the number of versions of the set that the database lacks.
func (r *Runner) Pending(ctx context.Context) (int, error) {
	states, err := r.Status(ctx)
	pending := 0
	for _, s := range states {
		if !s.Applied {
			pending++
		}
	}
	return pending, err
}

// Run is one run of a migration, as recorded in the log.
type Run struct {
	MigrationID    string    `json:"id"`
	Direction      string    `json:"direction"` // up, down, stamp, unstamp or repair
	AppliedAt      time.Time `json:"applied_at"`
	DurationMs     int64     `json:"duration_ms"`
	ProgramVersion string    `json:"program_version"`
	Actor          string    `json:"actor"`
	Origin         string    `json:"origin"` // runner, or offline: by printed SQL
	Checksum       string    `json:"checksum"`
	Discarded      string    `json:"discarded,omitempty"` // tables, and numbers of rows that the run discarded
}

// Log returns every run on this database, oldest first.
func (r *Runner) Log(ctx context.Context) ([]Run, error) {
	tx := r.session(ctx)
	form, err := r.engine.books(tx)
	if err != nil || form == 0 {
		return nil, err
	}
	columns := "migration_id, direction, applied_at, duration_ms, program_version, checksum"
	if form >= secondForm {
		columns += ", actor, origin"
	}
	if form >= thirdForm {
		columns += ", discarded"
	}
	var runs []Run
	err = tx.Raw("SELECT " + columns + " FROM " + LogTable + " ORDER BY id").Scan(&runs).Error
	for i := range runs {
		runs[i].AppliedAt = runs[i].AppliedAt.UTC()
	}
	return runs, err
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
