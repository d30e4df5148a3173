package models_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/models"
)

// Every event on patients' data says what kind of data it is about.
func TestEventsHaveADataCategory(t *testing.T) {
	t.Parallel()
	for _, row := range models.SealedRows() {
		table := models.TableOf(row)
		e := models.NewAuditLog(audit.Stamp(audit.Actor{}, audit.Event{Action: audit.Read, EntityType: table, EntityID: uuid.UUID{1}}))
		require.NotNil(t, e.DataCategory, "say in dataCategories what %s holds", table)
	}
}
