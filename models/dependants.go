package models

import (
	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
)

// RowVersion is a row without its content: where it is, and how often it changed.
type RowVersion struct {
	ID      uuid.UUID
	Version int64
}

// dependants returns, as an event names what is removed, the rows of patients' data whose column names the row id: the database removes them with it, and
// a removal that no event names would count as one by direct SQL.
func dependants(tx *gorm.DB, columnName string, id uuid.UUID) ([]audit.Subject, error) {
	var out []audit.Subject
	for _, m := range SealedRows() {
		l := layoutOf(m)
		if !l.has(columnName) {
			continue
		}
		var rows []RowVersion
		if err := tx.Model(m).Select("id", "version").Where(columnName+" = ?", id).Order("id").Find(&rows).Error; err != nil {
			return nil, err
		}
		for _, row := range rows {
			out = append(out, audit.Subject{ID: row.ID, EntityType: l.table, RowVersion: &row.Version, RowDigest: audit.Removed})
		}
	}
	return out, nil
}
