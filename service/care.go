package service

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/models"
	"novamind/repository"
)

// Care decides which patients are in an actor's scope, and keeps the care relationships.
type Care struct {
	relationships *repository.CareRepository
	window        time.Duration
}

// NewCare returns the care relationships of a store.
func NewCare(store *repository.Store, cfg config.Access) *Care {
	return &Care{relationships: repository.NewCareRepository(store), window: cfg.CareWindow}
}

// scope returns the patients within the scope of the innermost guarded call in ctx, for a list of their rows. If
// emergency access may contribute some of them, the event of the list says so.
func (c *Care) scope(ctx context.Context) (repository.Scope, error) {
	s, err := c.reach(ctx)
	if err != nil || !s.Emergency {
		return s, err
	}
	emergency, err := c.relationships.HasEmergency(ctx, s.AccountID, s.Now)
	switch {
	case err != nil:
		return repository.Scope{}, err
	case emergency:
		return s, flag(ctx)
	}
	s.Emergency = false
	return s, nil
}

// reach returns the patients within the scope of the innermost guarded call. They include emergency accesses if these
// extend the permission.
func (c *Care) reach(ctx context.Context) (repository.Scope, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return repository.Scope{}, err
	}
	switch scope, emergencies := granted(ctx); scope {
	case All:
		return repository.Scope{All: true}, nil
	case InCare:
		return repository.Scope{AccountID: actor.ID, Now: time.Now(), Window: c.window, Emergency: emergencies}, nil
	default:
		return repository.Scope{}, nil
	}
}

// readable returns the patients that the actor may read, independent of the innermost guarded call of ctx.
func (c *Care) readable(ctx context.Context) (repository.Scope, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return repository.Scope{}, err
	}
	return c.reach(context.WithValue(ctx, grantKey{}, &grant{scope: reachOf(actor, PatientRead)}))
}

// besides returns the patients that the actor may read in addition to the result of the innermost guarded call of ctx.
// Emergency access counts if it applies to that call, which then has flagged it.
func (c *Care) besides(ctx context.Context) (repository.Scope, error) {
	s, err := c.readable(ctx)
	if g, ok := ctx.Value(grantKey{}).(*grant); ok {
		s.Emergency = g.permission == BreakGlassOpen || g.scope == InCare && ByEmergency(g.permission)
	}
	return s, err
}

// flag marks the events of the unit of work of ctx as done by emergency access.
func flag(ctx context.Context) error {
	unit, err := audit.Current(ctx)
	if err == nil {
		unit.UsedFor(audit.BreakTheGlass)
	}
	return err
}

// inCare returns a NotFound error unless a patient is within the scope of the innermost guarded call. The error is
// the same if the patient does not exist; the log has a denial. Use of emergency access is flagged.
func (c *Care) inCare(ctx context.Context, patientID uuid.UUID) error {
	sees, emergency, err := c.sees(ctx, patientID)
	switch {
	case err != nil:
		return err
	case !sees:
		return denied(ctx, patientID)
	case emergency:
		return flag(ctx)
	}
	return nil
}

// inCareFor is inCare for the rows of a patient: its event names the patient, whether access is granted or denied.
func (c *Care) inCareFor(ctx context.Context, patientID uuid.UUID) error {
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	unit.Accessed("patient", patientID)
	return c.inCare(ctx, patientID)
}

// inCareOf is inCareFor for the patient of a row that was looked up by its id. If the lookup failed with err, it
// returns err, after taking as long as for a patient out of the actor's scope.
func (c *Care) inCareOf(ctx context.Context, patientID uuid.UUID, err error) error {
	if err == nil {
		return c.inCareFor(ctx, patientID)
	}
	if _, _, failed := c.sees(ctx, uuid.Nil); failed != nil {
		return failed
	}
	return err
}

// unseen returns outOfScope for a NotFound error, and any other err as it is. So a row that does not exist and a row
// out of the actor's scope give the same error.
func unseen(err error) error {
	if apperr.Is(err, apperr.NotFound) {
		return outOfScope()
	}
	return err
}

// denied is outOfScope for a patient. The event of the denial always names the patient, so that one query finds all
// denied accesses to a patient.
func denied(ctx context.Context, patientID uuid.UUID) error {
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	unit.Accessed("patient", patientID)
	return outOfScope()
}

func (c *Care) sees(ctx context.Context, patientID uuid.UUID) (sees, emergency bool, err error) {
	s, err := c.reach(ctx)
	if err != nil {
		return false, false, err
	}
	return c.relationships.Sees(ctx, s, patientID)
}

// outOfScope returns the error for a row out of the caller's scope. It is the same as for a row that does not exist.
func outOfScope() error {
	return apperr.Wrap(apperr.NotFound, "The resource does not exist, or you may not see it.", audit.ErrOutOfScope)
}

// entering records whether new appointments or records of a patient are made by emergency access. Such entries bring
// the patient into nobody's care, neither the actor's nor a colleague's. Call entering before writing the entries,
// because entries without that record create care.
func (c *Care) entering(ctx context.Context, patientID uuid.UUID, entries ...uuid.UUID) error {
	switch _, emergency, err := c.sees(ctx, patientID); {
	case err != nil:
		return err
	case emergency:
		return c.relationships.Except(ctx, patientID, entries...)
	default:
		return c.relationships.Accept(ctx, entries...)
	}
}

// noteRegistered records that the actor registered a patient, if the actor is a clinician.
func (c *Care) noteRegistered(ctx context.Context, patientID uuid.UUID, at time.Time) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil || !slices.Contains(actor.Roles, RoleClinician) || actor.ID == uuid.Nil {
		return err
	}
	return c.relationships.Note(ctx, patientID, actor.ID, models.CareRegistered, at)
}
