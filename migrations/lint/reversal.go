package lint

import (
	"novamind/migrations"
	"novamind/migrations/script"
)

var irreversible = Rule{
	"irreversible", "Down file that takes nothing back, without a reason",
	"who has to go back finds out too late that there is no way",
	"write the way back, or `-- migrate:irreversible REASON` in the down file",
}

// judgeReversals looks at each pair of files.
func judgeReversals(files []*file) {
	for i := 0; i+1 < len(files); i += 2 {
		up, down := files[i], files[i+1]
		if down.says(migrations.Irreversible, func(reason string) bool { return reason != "" }) {
			continue
		}
		if up.changes() && !down.changes() {
			down.report(irreversible, 0, "the up file changes the database, and this one does not change it back")
		}
	}
}

// changes reports whether the file has a statement that changes something.
func (f *file) changes() bool {
	for _, s := range script.Split(f.engine, f.text) {
		if !s.Begins("SELECT") && !s.Begins("SET") && !s.Begins("PRAGMA") {
			return true
		}
	}
	return false
}
