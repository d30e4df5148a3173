package models

import (
	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
)

// RowVersion is a row without its content: its id and its version.
type RowVersion struct {
	ID      uuid.UUID
	Version int64
}

// dependants returns the rows of patient data whose column columnName holds id, as subjects of the event of a
// removal. The database removes these rows too. A removal that no event names would count as a removal by direct
// SQL.
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
