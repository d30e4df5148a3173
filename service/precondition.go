package service

import "novamind/internal/apperr"

// Precondition reports whether a change may start from a version of a row.
type Precondition func(version int64) bool

// check returns a Stale error unless a change may start from version.
func (current Precondition) check(version int64) error {
	if current(version) {
		return nil
	}
	return errStale
}

var errStale = apperr.New(apperr.Stale, "The resource has changed since you read it. Read it again.")
