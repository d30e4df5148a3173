package runner

import (
	"context"
	"fmt"
	"slices"

	"novamind/migrations"
)

// Ahead returns the ids of the versions that only the database knows, oldest first, if the program can work on the
// database all the same. This needs that the program's own versions are all applied, and that each other version came
// later and was declared compatible with the release before. Otherwise Ahead returns ErrUnknownVersion, or the errors
// of verify about the program's own versions.
func (r *Runner) Ahead(ctx context.Context) ([]string, error) {
	applied, err := r.engine.readHistory(r.session(ctx))
	if err != nil {
		return nil, err
	}
	known := make([]record, 0, len(applied))
	var ahead []string
	for _, a := range applied {
		if r.set.Find(a.ID) >= 0 {
			known = append(known, a)
			continue
		}
		if !a.Compatible || !r.later(a.ID) {
			return nil, fmt.Errorf("%w: %s", ErrUnknownVersion, a.ID)
		}
		ahead = append(ahead, a.ID)
	}
	if len(ahead) > 0 && len(known) < len(r.set.Migrations) {
		return nil, fmt.Errorf("%w: %s", ErrUnknownVersion, ahead[0])
	}
	slices.Sort(ahead)
	return ahead, verify(r.set, known)
}

// later reports whether an unknown version is newer than every known one.
func (r *Runner) later(id string) bool {
	if len(r.set.Migrations) == 0 {
		return false
	}
	return migrations.CompareVersions(migrations.VersionOf(id), r.set.Migrations[len(r.set.Migrations)-1].Version) > 0
}
