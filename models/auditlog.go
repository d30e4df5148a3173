package models

import (
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/datatypes"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

// ErrLogFrozen: an entry of the log is to be changed or removed.
var ErrLogFrozen = errors.New("models: the audit log only grows")

// AuditLog is one event of the audit log (specification 7.2).
type AuditLog struct {
	Base
	OccurredAt time.Time  `gorm:"not null"`
	UserID     *uuid.UUID `gorm:"type:uuid;index:auditlog_user_id_idx"`
	Action     string     `gorm:"not null"`
	EntityType string     `gorm:"not null"`
	EntityID   *uuid.UUID `gorm:"type:uuid;index:auditlog_entity_id_idx"`
	Changes    datatypes.JSONType[Changes]
	Details    *string
	Reason     phi.Text // sealed: people write names into reasons
	Outcome    string   `gorm:"not null"`
	Origin     string   `gorm:"not null"`
	RequestID  *string
	Subjects   []AuditSubject `gorm:"foreignKey:EventID"`
}

// Changes names the columns that a change touched.
type Changes struct {
	Fields []string `json:"fields"`
}

// AuditSubject is one row that an event showed or changed. It is a table of its own so that "who saw this patient" is one
// query.
type AuditSubject struct {
	EntityID uuid.UUID `gorm:"type:uuid;primaryKey"`
	EventID  uuid.UUID `gorm:"type:uuid;primaryKey;index:auditsubject_event_id_idx"`
}

// NewAuditLog returns the row of an event.
func NewAuditLog(e audit.Event) *AuditLog {
	row := &AuditLog{
		Base:       Base{ID: e.ID},
		OccurredAt: e.OccurredAt,
		UserID:     optionalID(e.UserID),
		Action:     e.Action,
		EntityType: e.EntityType,
		EntityID:   optionalID(e.EntityID),
		Changes:    datatypes.NewJSONType(Changes{Fields: append([]string{}, e.Fields...)}),
		Details:    optionalText(e.Details),
		Outcome:    e.Outcome,
		Origin:     e.Origin,
		RequestID:  optionalText(e.RequestID),
	}
	if e.Reason != "" {
		row.Reason = phi.Of(e.Reason)
	}
	for _, id := range e.Subjects {
		row.Subjects = append(row.Subjects, AuditSubject{EntityID: id, EventID: e.ID})
	}
	return row
}

// BeforeSave seals the reason.
func (a *AuditLog) BeforeSave(tx *gorm.DB) error { return seal(tx, a) }

// AfterFind opens the reason.
func (a *AuditLog) AfterFind(tx *gorm.DB) error { return open(tx, a) }

// BeforeUpdate refuses.
func (*AuditLog) BeforeUpdate(*gorm.DB) error { return ErrLogFrozen }

// BeforeDelete refuses.
func (*AuditLog) BeforeDelete(*gorm.DB) error { return ErrLogFrozen }

func optionalID(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func optionalText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
