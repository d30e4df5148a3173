package models

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/datatypes"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

// ErrLogFrozen is returned for an attempt to change or remove an entry of the log.
var ErrLogFrozen = errors.New("models: the audit log only grows")

// AuditLog is one event of the audit log (specification 7.2).
type AuditLog struct {
	Base
	OccurredAt    time.Time  `gorm:"not null"`
	TransactionID *int64     `gorm:"<-:false"` // PostgreSQL's transaction id, assigned by the database
	UserID        *uuid.UUID `gorm:"type:uuid"`
	ActorRoles    datatypes.JSONSlice[string]
	OnBehalfOf    *string    // the person that started a job
	SessionID     *uuid.UUID `gorm:"type:uuid"`
	APIKeyID      *uuid.UUID `gorm:"type:uuid"`
	Address       *string
	Route         *string // the pattern, never the path
	Purpose       *string // purpose of use, HL7 v3 PurposeOfUse
	DataCategory  *string
	Action        string     `gorm:"not null"`
	EntityType    string     `gorm:"not null"`
	EntityID      *uuid.UUID `gorm:"type:uuid"`
	Changes       datatypes.JSONType[Changes]
	Diff          phi.JSON[audit.Diff] `phi:"closed"` // the old and new values of a change; see OpenDiff
	Details       *string
	Reason        phi.Text // sealed: people write names into reasons
	Outcome       string   `gorm:"not null"`
	Origin        string   `gorm:"not null"`
	RequestID     *string
	Nonce         *string
	MAC           *string
	Subjects      []AuditSubject `gorm:"foreignKey:EventID"`
}

// Changes names the columns that a change touched.
type Changes struct {
	Fields []string `json:"fields"`
}

// AuditSubject is one row that an event showed or changed. It has a table of its own, so that one query finds every
// access to a patient.
type AuditSubject struct {
	EntityID   uuid.UUID `gorm:"type:uuid;primaryKey"`
	EventID    uuid.UUID `gorm:"type:uuid;primaryKey;index:auditsubject_event_id_idx"`
	EntityType *string
	RowVersion *int64  // of the row after the change; NULL if the row was only shown
	RowDigest  *string // likewise, or audit.Removed
}

// Demographic reports whether the event is about a patient's identity or appointments.
func (a *AuditLog) Demographic() bool {
	category := valueOf(a.DataCategory)
	return category == demographics || category == scheduling
}

// dataCategories maps each table to the category of its data.
var dataCategories = map[string]string{
	"patient": demographics, "medicalrecord": clinical,
	"appointment": scheduling, "appointmentseries": scheduling, "availability": "staff",
	"account": "staff", "session": "staff", "secondfactor": "staff", "apikey": "staff",
	"keyset": "keys", "auditlog": "audit", "auditreview": "audit",
	"consent": clinical, "disclosure": clinical, "riskflag": clinical,
}

// The categories of patient data.
const (
	demographics = "demographics"
	scheduling   = "scheduling"
	clinical     = "clinical" // content of a clinical record
)

// Clinical reports whether the event is about the content of a clinical record.
func (a *AuditLog) Clinical() bool { return valueOf(a.DataCategory) == clinical }

// NewAuditLog returns the row of an event.
func NewAuditLog(e audit.Event) *AuditLog {
	row := &AuditLog{
		Base:         Base{ID: e.ID, CreatedAt: e.OccurredAt, UpdatedAt: e.OccurredAt},
		OccurredAt:   e.OccurredAt,
		UserID:       optionalID(e.UserID),
		ActorRoles:   append([]string{}, e.ActorRoles...),
		OnBehalfOf:   optionalText(e.OnBehalfOf),
		SessionID:    optionalID(e.SessionID),
		APIKeyID:     optionalID(e.APIKeyID),
		Address:      optionalText(e.Address),
		Route:        optionalText(e.Route),
		Purpose:      optionalText(e.Purpose),
		DataCategory: optionalText(dataCategories[e.EntityType]),
		Action:       e.Action,
		EntityType:   e.EntityType,
		EntityID:     optionalID(e.EntityID),
		Changes:      datatypes.NewJSONType(Changes{Fields: append([]string{}, e.Fields...)}),
		Details:      optionalText(e.Details),
		Outcome:      e.Outcome,
		Origin:       e.Origin,
		RequestID:    optionalText(e.RequestID),
		Nonce:        optionalText(rand.Text()),
	}
	if e.Reason != "" {
		row.Reason = phi.Of(e.Reason)
	}
	if len(e.Diff) > 0 {
		row.Diff = phi.JSONOf(e.Diff)
	}
	for _, s := range e.Subjects {
		row.Subjects = append(row.Subjects, AuditSubject{
			EntityID: s.ID, EventID: e.ID, EntityType: optionalText(s.EntityType), RowVersion: s.RowVersion, RowDigest: optionalText(s.RowDigest),
		})
	}
	return row
}

// Entry returns the row in the form that the tree takes, sealed.
func (a *AuditLog) Entry() (audit.Entry, error) {
	reason, _, err := storedText(a.Reason)
	if err != nil {
		return audit.Entry{}, err
	}
	diff, _, err := storedText(a.Diff)
	if err != nil {
		return audit.Entry{}, err
	}
	e := audit.Entry{
		ID: a.ID, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, OccurredAt: a.OccurredAt, TransactionID: a.TransactionID,
		UserID: a.UserID, ActorRoles: a.ActorRoles, OnBehalfOf: a.OnBehalfOf, SessionID: a.SessionID, APIKeyID: a.APIKeyID,
		Address: a.Address, Route: a.Route, Purpose: a.Purpose, DataCategory: a.DataCategory,
		Action: a.Action, EntityType: a.EntityType, EntityID: a.EntityID, Fields: a.Changes.Data().Fields,
		Diff: optionalText(diff), Details: a.Details, Reason: optionalText(reason),
		Outcome: a.Outcome, Origin: a.Origin, RequestID: a.RequestID, Nonce: a.Nonce, MAC: a.MAC,
	}
	for _, s := range a.Subjects {
		e.Subjects = append(e.Subjects, audit.EntrySubject{EntityID: s.EntityID, EntityType: s.EntityType, RowVersion: s.RowVersion, RowDigest: s.RowDigest})
	}
	return e, nil
}

// BeforeSave seals the row, and adds the MAC that shows the program wrote it.
func (a *AuditLog) BeforeSave(tx *gorm.DB) error {
	if err := seal(tx, a); err != nil {
		return err
	}
	ring, err := keyringOf(tx)
	if err != nil {
		return err
	}
	entry, err := a.Entry()
	if err != nil {
		return err
	}
	mac, err := ring.LogMAC().MAC(entry.Authenticated())
	a.MAC = &mac
	return err
}

// AfterFind opens the sealed columns except the diff.
func (a *AuditLog) AfterFind(tx *gorm.DB) error { return open(tx, a) }

// OpenDiff opens the values that the event changed, which are PHI, and notes in the unit of work that the event's
// rows are shown. It returns an error if there is no unit, and phi.ErrUnreadable if the diff was altered.
func (a *AuditLog) OpenDiff(tx *gorm.DB) (audit.Diff, error) {
	unit, err := audit.Current(tx.Statement.Context)
	if err != nil {
		return nil, err
	}
	for _, s := range a.Subjects {
		unit.Accessed(valueOf(s.EntityType), s.EntityID)
	}
	sealer, err := sealerOf(tx, a)
	if err != nil {
		return nil, err
	}
	l := layoutOf(a)
	for _, c := range l.sealed {
		if !c.closed {
			continue
		}
		if err := a.Diff.Open(sealer, bindingOf(a, l, c, 0)); err != nil {
			unit.Unreadable(l.table, a.ID)
			return nil, err
		}
	}
	return a.Diff.Plain(), nil
}

func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// BeforeUpdate returns ErrLogFrozen.
func (*AuditLog) BeforeUpdate(*gorm.DB) error { return ErrLogFrozen }

// BeforeDelete returns ErrLogFrozen.
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
