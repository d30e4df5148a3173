package runner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"novamind/migrations"
)

// The runner's own tables: the applied versions, in gormigrate's form, and the log of every run.
const (
	Table    = "schemamigration"
	LogTable = "schemamigrationlog"
)

// Errors about a database's history, which stop the runner.
var (
	ErrUnknownVersion = errors.New("the database has a migration that this program does not know: run the newer program, or, where that version was never applied, forget it with migrate stamp --purge TARGET")
	ErrEdited         = errors.New("a migration was edited after it was applied: put the file back, or accept it with migrate repair")
	ErrOutOfOrder     = errors.New("a pending migration is older than an applied one: give it a newer version")
)

// direction is the effect of a run on a version.
type direction string

const (
	up      direction = "up"
	down    direction = "down"
	stamp   direction = "stamp"   // recorded as applied, without its SQL
	unstamp direction = "unstamp" // recorded as not applied, likewise
	repair  direction = "repair"  // its present content was accepted
)

// The origins of a run.
const (
	online  = "runner"
	offline = "offline" // by the SQL that migrate sql printed
)

// record is an applied migration as the database remembers it.
type record struct {
	ID         string
	Checksum   string     // "" when no run of it was logged
	AppliedAt  *time.Time // nil likewise
	Compatible bool       // the release before it can work on the schema
}

// readHistory returns the applied versions, in no particular order.
func (e engine) readHistory(tx *gorm.DB) ([]record, error) {
	form, err := e.books(tx)
	if err != nil || form == 0 {
		return nil, err
	}
	column := "false"
	if form >= secondForm {
		column = "coalesce(l.compatible, false)"
	}
	var applied []record
	err = tx.Raw(`SELECT m.id, coalesce(l.checksum, '') AS checksum, l.applied_at, ` + column + ` AS compatible FROM ` + Table + ` m
		LEFT JOIN ` + LogTable + ` l ON l.id = (SELECT max(id) FROM ` + LogTable + ` WHERE migration_id = m.id)`).
		Scan(&applied).Error
	return applied, err
}

// books returns the form of the runner's tables in the database, as the number of the log's columns; 0 means that
// there are none. It does not use gorm's HasTable, which reports false for an unreachable database.
func (e engine) books(tx *gorm.DB) (form int, err error) {
	err = tx.Raw(e.columns, LogTable).Scan(&form).Error
	return form, err
}

// The number of columns that the log had in earlier programs.
const (
	secondForm = 10
	thirdForm  = 11
)

// keepBooks makes the runner's tables, and completes the log of an earlier program.
func (e engine) keepBooks(tx *gorm.DB) error {
	form, err := e.books(tx)
	if err != nil {
		return err
	}
	if form == 0 {
		return runScript(tx, e.bookkeeping)
	}
	if form < secondForm {
		err = runScript(tx, secondColumns)
	}
	if err == nil && form < thirdForm {
		err = runScript(tx, thirdColumns)
	}
	return err
}

const (
	secondColumns = `
ALTER TABLE schemamigrationlog ADD COLUMN actor text NOT NULL DEFAULT '';
ALTER TABLE schemamigrationlog ADD COLUMN origin text NOT NULL DEFAULT 'runner';
ALTER TABLE schemamigrationlog ADD COLUMN compatible boolean NOT NULL DEFAULT false;`
	thirdColumns = `ALTER TABLE schemamigrationlog ADD COLUMN discarded text NOT NULL DEFAULT '';`
)

// verify returns nil if the applied versions are an unedited beginning of the set.
func verify(s migrations.Set, applied []record) error {
	if err := known(s, applied); err != nil {
		return err
	}
	newest := -1
	for _, a := range applied {
		i := s.Find(a.ID)
		if a.Checksum != s.Migrations[i].Checksum {
			return fmt.Errorf("%w: %s", ErrEdited, a.ID)
		}
		newest = max(newest, i)
	}
	for _, m := range s.Migrations[:newest+1] {
		if !slices.ContainsFunc(applied, func(a record) bool { return a.ID == m.ID }) {
			return fmt.Errorf("%w: %s", ErrOutOfOrder, m.ID)
		}
	}
	return nil
}

// writeLog logs a run of a migration, and the rows that it discarded.
func (r *Runner) writeLog(tx *gorm.DB, m migrations.Migration, d direction, started time.Time, discarded string) error {
	// The time goes as text: a SQLite driver's form of a time depends on the DSN.
	return tx.Exec(`INSERT INTO `+LogTable+` (migration_id, checksum, direction, applied_at, duration_ms, program_version, actor, origin, compatible, discarded)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, m.ID, m.Checksum, d, started.UTC().Format("2006-01-02 15:04:05.000000-07:00"),
		time.Since(started).Milliseconds(), r.program.Version, r.program.Actor, online,
		migrations.Declares(r.set.Engine, m.Up, migrations.Compatible), discarded).Error
}
