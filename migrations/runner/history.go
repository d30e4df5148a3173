package runner

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"novamind/migrations"
)

// The runner's own tables: what is applied, in gormigrate's form, and the log of every run.
const (
	Table    = "schemamigration"
	LogTable = "schemamigrationlog"
)

// Why a database's history stops the runner.
var (
	ErrUnknownVersion = errors.New("the database has a migration that this program does not know")
	ErrEdited         = errors.New("a migration was edited after it was applied")
	ErrOutOfOrder     = errors.New("a pending migration is older than an applied one")
)

// record is an applied migration as the database remembers it.
type record struct {
	ID        string
	Checksum  string     // "" when no run of it was logged
	AppliedAt *time.Time // nil likewise
}

// readHistory returns what is applied, in no particular order.
func (e engine) readHistory(tx *gorm.DB) ([]record, error) {
	// Not gorm's HasTable: it says no to a database that is out of reach.
	var migrated bool
	if err := tx.Raw(e.migrated).Scan(&migrated).Error; err != nil || !migrated {
		return nil, err
	}
	var applied []record
	err := tx.Raw(`SELECT m.id, coalesce(l.checksum, '') AS checksum, l.applied_at FROM ` + Table + ` m
		LEFT JOIN ` + LogTable + ` l ON l.id = (SELECT max(id) FROM ` + LogTable + ` WHERE migration_id = m.id)`).
		Scan(&applied).Error
	return applied, err
}

// verify returns nil when what is applied is an unedited beginning of the set.
func verify(s migrations.Set, applied []record) error {
	newest := -1
	for _, a := range applied {
		i := s.Find(a.ID)
		if i < 0 {
			return fmt.Errorf("%w: %s", ErrUnknownVersion, a.ID)
		}
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

// logEntry is one run of a migration.
type logEntry struct {
	MigrationID    string
	Checksum       string
	Direction      string
	AppliedAt      time.Time
	Took           time.Duration
	ProgramVersion string
}

func writeLog(tx *gorm.DB, e logEntry) error {
	// The time goes as text: how a SQLite driver writes one depends on the DSN.
	return tx.Exec(`INSERT INTO `+LogTable+` (migration_id, checksum, direction, applied_at, duration_ms, program_version)
		VALUES (?, ?, ?, ?, ?, ?)`, e.MigrationID, e.Checksum, e.Direction,
		e.AppliedAt.UTC().Format("2006-01-02 15:04:05.000000-07:00"), e.Took.Milliseconds(), e.ProgramVersion).Error
}
