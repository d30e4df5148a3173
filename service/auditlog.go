package service

import (
	"context"

	"novamind/internal/audit"
	"novamind/models"
	"novamind/repository"
)

// AuditLogQuery narrows the log.
type AuditLogQuery = repository.AuditLogQuery

// AuditLogService shows the audit log. Reading it is an event too.
type AuditLogService struct {
	store  Store
	events *repository.AuditLogRepository
}

// NewAuditLogService returns the service on a store.
func NewAuditLogService(store *repository.Store) *AuditLogService {
	return &AuditLogService{store: store, events: repository.NewAuditLogRepository(store)}
}

// Search returns one page of the events that match q, and whether there are more. It returns a Forbidden error.
func (s *AuditLogService) Search(ctx context.Context, q AuditLogQuery, page Page) ([]*models.AuditLog, bool, error) {
	var found []*models.AuditLog
	var more bool
	intent := audit.Intent{Action: audit.List, EntityType: "auditlog"}
	err := guarded(ctx, s.store, AuditLogRead, intent, s.store.Read, func(ctx context.Context) (err error) {
		found, more, err = s.events.Search(ctx, q, page)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return found, more, nil
}
