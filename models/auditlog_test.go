package models_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/datatypes"

	"novamind/internal/audit"
	"novamind/models"
)

// Every event on patient data has the category of the data.
func TestEventsHaveADataCategory(t *testing.T) {
	t.Parallel()
	for _, row := range models.SealedRows() {
		table := models.TableOf(row)
		e := models.NewAuditLog(audit.Stamp(audit.Actor{}, audit.Event{Action: audit.Read, EntityType: table, EntityID: uuid.UUID{1}}))
		require.NotNil(t, e.DataCategory, "say in dataCategories what %s holds", table)
	}
}

// A leaf covers every column of the event and of its subjects: a change of any column changes the leaf.
func TestLeavesCoverEveryColumn(t *testing.T) {
	t.Parallel()
	fresh := func() *models.AuditLog {
		e := models.NewAuditLog(audit.Stamp(audit.Actor{}, audit.Event{
			Action: audit.Read, EntityType: "patient", Subjects: []audit.Subject{{ID: uuid.UUID{1}, EntityType: "patient"}},
		}))
		e.ID, e.CreatedAt, e.UpdatedAt, e.OccurredAt, e.Nonce = uuid.UUID{2}, time.Unix(1, 0), time.Unix(2, 0), time.Unix(3, 0), nil
		e.Subjects[0].EventID = e.ID
		return e
	}
	leaf := func(e *models.AuditLog) []byte {
		entry, err := e.Entry()
		require.NoError(t, err)
		return entry.Leaf()
	}
	one, same := leaf(fresh()), leaf(fresh())
	require.Equal(t, one, same)
	for i, column := range models.ColumnsOf(&models.AuditLog{}) {
		e := fresh()
		changed(t, models.PointersTo(e)[i])
		require.NotEqual(t, leaf(fresh()), leaf(e), column)
	}
	for i, column := range models.ColumnsOf(&models.AuditSubject{}) {
		if column == "event_id" {
			continue // the column by which the event's subjects are found
		}
		e := fresh()
		changed(t, models.PointersTo(&e.Subjects[0])[i])
		require.NotEqual(t, leaf(fresh()), leaf(e), column)
	}
}

// changed puts another value into a column.
func changed(t *testing.T, pointer any) {
	t.Helper()
	switch p := pointer.(type) {
	case *uuid.UUID:
		p[15]++
	case **uuid.UUID:
		*p = &uuid.UUID{9}
	case *time.Time:
		*p = p.Add(time.Hour)
	case *string:
		*p += "x"
	case **string:
		*p = new("x")
	case **int64:
		*p = new(int64(7))
	case *datatypes.JSONSlice[string]:
		*p = []string{"x"}
	case *datatypes.JSONType[models.Changes]:
		*p = datatypes.NewJSONType(models.Changes{Fields: []string{"x"}})
	case sql.Scanner: // sealed columns
		if p.Scan(`{"phi":"phi1:x"}`) != nil {
			require.NoError(t, p.Scan("phi1:x"))
		}
	default:
		t.Fatalf("say how a %T is changed", p)
	}
}
