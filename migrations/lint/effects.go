package lint

import (
	"fmt"
	"strings"

	"novamind/migrations"
)

// The rules about the effect of a migration on the schema. They are the same on both engines.
var (
	stillRead = Rule{
		"still-read", "Drop or rename of a table or column that the release before reads or writes",
		"servers of the release before run during the migration, and until each has been replaced; every statement of theirs that names it fails",
		"stop using it in one release, drop it in the next; to rename, add the new one and write both for a release",
	}
	notNullWithoutDefault = Rule{
		"not-null-without-default", "New column NOT NULL without a default, on a table that exists",
		"it fails on the first row; on an empty table the inserts of the release before fail, since they don't name it",
		"give it a constant DEFAULT, or add it nullable and set NOT NULL one release later",
	}
	plainPHI = Rule{
		"plain-phi", "New column that can hold text, in a table of PHI or called like PHI, and is not sealed",
		"what is in it can be read from a stolen disk, dump or backup",
		"make it phi.Text, phi.Date or phi.JSON in the model, with the CHECK <table>_<column>_sealed; or allow it, with what else it holds",
	}
	sealedDropped = Rule{
		"sealed-dropped", "Sealed column dropped without a recorded backup",
		"nothing brings the values back: they are in no other table, and the log has digests of them alone",
		"`-- migrate:requires-backup TABLE` makes the runner ask for a backup recorded in the last 24 hours, if the table has rows",
	}
	sealLost = Rule{
		"seal-lost", "Sealed column left without the CHECK that refuses plain text",
		"the CHECK is the net under the hooks: without it a statement that passes them by stores plain text",
		"add <table>_<column>_sealed again in the same file",
	}
	triggerLost = Rule{
		"trigger-lost", "Trigger dropped or disabled, or gone with a rebuilt table",
		"triggers keep the log append-only, note changes made past the program and refuse retired keys; nobody notices when one is missing",
		"create it again in the same file, under its name or with the same action",
	}
	rebuildLoses = Rule{
		"rebuild-loses", "SQLite table rebuilt without something that it had",
		"DROP TABLE takes indexes along, and the new table has only what its CREATE TABLE says again",
		"write it again, after the new table has its name",
	}
)

// judgeEffects compares the schemas before and after an up file.
func (f *file) judgeEffects() {
	for _, o := range f.after.lost(f.before) {
		f.judgeLoss(o)
	}
	f.judgeVouched()
	for o, d := range f.after {
		before, existed := f.before[o]
		if o.Kind == columns && (!existed || before.Type != d.Type) {
			f.judgeColumn(o, d, existed)
		}
		if existed {
			f.judgeChange(o, before, d)
		}
	}
}

// judgeChange judges the change of an object that is still there.
func (f *file) judgeChange(o object, before, now detail) {
	rebuilt := f.lostAt[object{Kind: tables, Table: o.Table}]
	switch {
	case o.Kind == triggers && now.Disabled && !before.Disabled:
		f.report(triggerLost, now.At, fmt.Sprintf("the trigger %s is disabled", o))
	case o.Kind == tables && before.Type != now.Type && f.rebuilt(o.Table):
		f.report(rebuildLoses, rebuilt, fmt.Sprintf("%s was %s", o, strings.TrimSpace("a table "+before.Type)))
	case o.Kind == columns:
		f.judgeSeal(o)
		if before.Collation != now.Collation && f.rebuilt(o.Table) {
			f.report(rebuildLoses, rebuilt, fmt.Sprintf("%s had the collation %q", o, before.Collation))
		}
	}
}

// judgeSeal judges whether a remaining column still accepts sealed values only.
func (f *file) judgeSeal(o object) {
	if f.before.sealed(o.Table, o.Name) && !f.after.sealed(o.Table, o.Name) {
		check := sealing(o.Table, o.Name)
		f.report(sealLost, max(f.lostAt[check], f.after[check].At), fmt.Sprintf("%s loses its CHECK %s, or what it says", o, check.Name))
	}
}

// rebuilt reports whether a table was dropped and made again.
func (f *file) rebuilt(table string) bool {
	o := object{Kind: tables, Table: table}
	_, dropped := f.lostAt[o]
	return dropped && f.before.has(table) && f.after.has(table)
}

func (f *file) judgeLoss(o object) {
	at := f.lostAt[o]
	if f.released.reads(o) && (o.Kind == tables || f.after.has(o.Table)) {
		f.report(stillRead, at, fmt.Sprintf("%s %s is dropped or renamed, and the release before uses it", o.Kind, o))
	}
	if o.Kind == columns && f.before.sealed(o.Table, o.Name) &&
		!f.says(migrations.RequiresBackup, func(table string) bool { return table == o.Table }) {
		f.report(sealedDropped, at, fmt.Sprintf("%s is sealed, and is dropped", o))
	}
	if !f.after.has(o.Table) {
		return
	}
	switch o.Kind {
	case triggers:
		if !f.replaced(o) {
			f.report(triggerLost, at, fmt.Sprintf("the trigger %s is gone", o))
		}
	case constraints, indexes, foreignKeys:
		if f.rebuilt(o.Table) && at == f.lostAt[object{Kind: tables, Table: o.Table}] && f.keepsColumns(o) {
			f.report(rebuildLoses, at, fmt.Sprintf("the %s %s is gone", o.Kind, o))
		}
	default:
	}
}

// replaced reports whether a new trigger of the same table does the same as a lost trigger.
func (f *file) replaced(lost object) bool {
	for _, o := range f.after.of(lost.Table, triggers) {
		if _, existed := f.before[o]; !existed && f.after[o].Function == f.before[lost].Function {
			return true
		}
	}
	return false
}

// keepsColumns reports whether every column of a lost foreign key is still there. It does not ask for other
// constraints, except the CHECKs of sealed columns, which rule seal-lost judges.
func (f *file) keepsColumns(o object) bool {
	if o.Kind != foreignKeys {
		return !strings.HasSuffix(o.Name, "_sealed")
	}
	for name := range strings.SplitSeq(o.Name, ", ") {
		if _, ok := f.after[object{Kind: columns, Table: o.Table, Name: name}]; !ok {
			return false
		}
	}
	return true
}

// judgeColumn judges a new column, or a column with a new type.
func (f *file) judgeColumn(o object, d detail, existed bool) {
	if !existed && d.Required && f.before.has(o.Table) {
		f.report(notNullWithoutDefault, d.At, fmt.Sprintf("%s is NOT NULL and has no default", o))
	}
	if f.before.sealed(o.Table, o.Name) || f.after.sealed(o.Table, o.Name) || !f.holdsText(o, d.Type) {
		return
	}
	switch {
	case calledLikePHI(o.Name):
		f.report(plainPHI, d.At, fmt.Sprintf("%s is called like PHI and is not sealed", o))
	case !isDate(d.Type) && f.after.concernsPatients(o.Table):
		f.report(plainPHI, d.At, fmt.Sprintf("%s is not sealed, in a table that has sealed columns", o))
	}
}
