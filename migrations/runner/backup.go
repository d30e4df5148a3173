package runner

import (
	"errors"
	"time"

	"gorm.io/gorm"

	"novamind/migrations"
	"novamind/migrations/script"
)

// ErrNoBackup says that a version which drops sealed data has to wait for a backup.
var ErrNoBackup = errors.New("it drops what nothing but a backup brings back, and none was recorded in the last 24 hours")

// recentBackup is the greatest age of a backup that a version accepts.
const recentBackup = 24 * time.Hour

// demandBackup returns ErrNoBackup if a step requires a backup of a table, the table has rows, and no recent backup
// is recorded.
func (r *Runner) demandBackup(conn *gorm.DB, s *step) error {
	for _, d := range script.Directives(r.set.Engine, s.script) {
		if d.Name != migrations.RequiresBackup || !d.Alone {
			continue
		}
		var rows, backups int64
		if err := conn.Table(d.Argument).Count(&rows).Error; err != nil {
			return err
		}
		if rows == 0 {
			continue
		}
		// As text: a SQLite driver's form of a time depends on the DSN.
		since := time.Now().Add(-recentBackup).UTC().Format("2006-01-02 15:04:05.000000-07:00")
		if err := conn.Table("backup").Where("created_at > ?", since).Count(&backups).Error; err != nil {
			return err
		}
		if backups == 0 {
			return ErrNoBackup
		}
	}
	return nil
}
