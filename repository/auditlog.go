package repository

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/models"
)

// AuditLogRepository reads the audit log. The store writes it.
type AuditLogRepository struct{ Base[models.AuditLog] }

// NewAuditLogRepository returns the log of a store.
func NewAuditLogRepository(s *Store) *AuditLogRepository {
	return &AuditLogRepository{Base[models.AuditLog]{s}}
}

// AuditLogQuery narrows the log. A zero member is not asked for.
type AuditLogQuery struct {
	UserID     uuid.UUID
	EntityID   uuid.UUID
	Subject    uuid.UUID // a row that was shown or changed
	Action     string
	EntityType string
	Outcome    string
	RequestID  string
	From, To   time.Time // From <= occurred_at < To
}

// Search returns one page of the events that match q, and whether there are more.
func (r *AuditLogRepository) Search(ctx context.Context, q AuditLogQuery, page Page) ([]*models.AuditLog, bool, error) {
	return r.List(ctx, page, func(db *gorm.DB) *gorm.DB {
		for _, c := range []struct {
			asked     bool
			condition string
			value     any
		}{
			{q.UserID != uuid.Nil, "user_id = ?", q.UserID},
			{q.EntityID != uuid.Nil, "entity_id = ?", q.EntityID},
			{q.Subject != uuid.Nil, "id IN (SELECT event_id FROM auditsubject WHERE entity_id = ?)", q.Subject},
			{q.Action != "", "action = ?", q.Action},
			{q.EntityType != "", "entity_type = ?", q.EntityType},
			{q.Outcome != "", "outcome = ?", q.Outcome},
			{q.RequestID != "", "request_id = ?", q.RequestID},
			// SQLite compares times as text, which is an order in one zone only.
			{!q.From.IsZero(), "occurred_at >= ?", q.From.UTC()},
			{!q.To.IsZero(), "occurred_at < ?", q.To.UTC()},
		} {
			if c.asked {
				db = db.Where(c.condition, c.value)
			}
		}
		return db.Preload("Subjects")
	})
}
