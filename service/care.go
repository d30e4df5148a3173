package service

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/repository"
)

// Care knows which patients an actor sees, and keeps who cares for whom.
type Care struct {
	relationships *repository.CareRepository
	window        time.Duration
}

// NewCare returns the care relationships of a store.
func NewCare(store *repository.Store, cfg config.Access) *Care {
	return &Care{relationships: repository.NewCareRepository(store), window: cfg.CareWindow}
}

// sight returns which patients the permission reaches that the innermost guarded call of ctx is about.
func (c *Care) sight(ctx context.Context) repository.Sight {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return repository.Sight{}
	}
	switch grantFrom(ctx) {
	case All:
		return repository.Sight{All: true}
	case InCare:
		return repository.Sight{AccountID: actor.ID, Since: time.Now().Add(-c.window)}
	default:
		return repository.Sight{}
	}
}

// inCare returns a NotFound error unless that permission reaches a patient. It is the same whether there is such a patient or not; the log
// has a denial.
func (c *Care) inCare(ctx context.Context, patientID uuid.UUID) error {
	sees, err := c.relationships.Sees(ctx, c.sight(ctx), patientID)
	if err == nil && !sees {
		err = outOfSight()
	}
	return err
}

// outOfSight is what a caller gets for what is not theirs to see: the same as where there is nothing.
func outOfSight() error {
	return apperr.Wrap(apperr.NotFound, "There is no such resource.", audit.ErrOutOfSight)
}

// note records that a patient came into the actor's care, if the actor is a clinician.
func (c *Care) note(ctx context.Context, patientID uuid.UUID, kind string, at time.Time) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil || !slices.Contains(actor.Roles, RoleClinician) || actor.ID == uuid.Nil {
		return err
	}
	return c.relationships.Note(ctx, patientID, actor.ID, kind, at)
}
