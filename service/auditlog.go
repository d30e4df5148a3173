package service

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
	"novamind/repository"
)

// AuditLogQuery narrows the log.
type AuditLogQuery = repository.AuditLogQuery

// AuditLogService shows the audit log. Reading it is an event too.
type AuditLogService struct {
	store    Store
	events   *repository.AuditLogRepository
	patients *repository.PatientRepository
	accounts *repository.AccountRepository
}

// NewAuditLogService returns the service on a store.
func NewAuditLogService(store *repository.Store) *AuditLogService {
	return &AuditLogService{
		store: store, events: repository.NewAuditLogRepository(store),
		patients: repository.NewPatientRepository(store), accounts: repository.NewAccountRepository(store),
	}
}

// Search returns one page of the events that match q, and whether there are more. It returns a Forbidden error.
func (s *AuditLogService) Search(ctx context.Context, q AuditLogQuery, page Page) ([]*models.AuditLog, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "auditlog", Details: q.Shape()}
	return guardedPage(ctx, s.store, AuditLogRead, intent, func(ctx context.Context) ([]*models.AuditLog, bool, error) {
		return s.events.Search(ctx, q, page)
	})
}

// Get returns an event, without its diff. It returns a Forbidden, a NotFound or an Unreadable error.
func (s *AuditLogService) Get(ctx context.Context, id uuid.UUID) (*models.AuditLog, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "auditlog", EntityID: id}
	return guarded(ctx, s.store, AuditLogRead, intent, s.store.Read, func(ctx context.Context) (*models.AuditLog, error) {
		return s.events.ByID(ctx, id)
	})
}

// OpenDiff returns the old and new values of an event. Opening is recorded as an event itself, with the changed rows
// as its subjects. It returns a Forbidden error for clinical records, and for demographics unless a role of the actor
// sees all patients; or a NotFound or an Unreadable one.
func (s *AuditLogService) OpenDiff(ctx context.Context, id uuid.UUID) (audit.Diff, error) {
	intent := audit.Intent{Action: audit.OpenDiff, EntityType: "auditlog", EntityID: id}
	return guarded(ctx, s.store, AuditLogOpenDiff, intent, s.store.Read, func(ctx context.Context) (audit.Diff, error) {
		e, err := s.events.ByID(ctx, id)
		if err != nil {
			return nil, err
		}
		if e.Clinical() {
			return nil, apperr.New(apperr.Forbidden, "The log does not show the content of clinical records.")
		}
		if e.Demographic() && !seesDemographics(ctx) {
			return nil, apperr.New(apperr.Forbidden, "You also need a role that may see all patients.")
		}
		return s.events.OpenDiff(ctx, e)
	})
}

// seesDemographics reports whether the actor of ctx sees all patients, also outside of the log. An auditor alone sees
// none, since the log names actors and patients by ids. The operator's commands do.
func seesDemographics(ctx context.Context) bool {
	actor, err := audit.ActorFrom(ctx)
	return err == nil && (reachOf(actor, PatientRead) == All || slices.Contains(actor.Roles, RoleSystem))
}

// Names returns the names of accounts for reports. Unknown accounts are left out.
func (s *AuditLogService) Names(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	return s.accounts.Names(ctx, ids)
}

// AccountByEmail returns the id of the account with an e-mail, for queries by people. It returns a NotFound error.
func (s *AuditLogService) AccountByEmail(ctx context.Context, email string) (uuid.UUID, error) {
	account, err := s.accounts.ByEmail(ctx, email)
	if err != nil {
		return uuid.Nil, err
	}
	return account.ID, nil
}
