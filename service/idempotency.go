package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/repository"
)

// idempotencyPeriod is how long a repeated request gives the first result again.
const idempotencyPeriod = 24 * time.Hour

// Idempotency is a client's promise that two requests with the same key are one. The zero value is none.
type Idempotency struct {
	Key     string
	Request string // route and body
}

// attempt runs do, and once more where the same key was stored between its look and its insert, or what both want was taken: then it finds what the
// other one made.
func (once Idempotency) attempt(do func() error) error {
	err := do()
	if once.Key != "" && (apperr.Is(err, apperr.Duplicate) || apperr.Is(err, apperr.Taken)) {
		return do()
	}
	return err
}

// repeats remembers what requests with an idempotency key made.
type repeats struct {
	keys *repository.IdempotencyKeyRepository
}

// once runs do, which returns the id of what it made, in the transaction of ctx, unless the actor's earlier request with this key made
// something. Then it returns that id and true; whether the actor still sees it is for the caller to ask. It returns a KeyReused error where
// the earlier request was another.
func (r repeats) once(ctx context.Context, once Idempotency, do func() (uuid.UUID, error)) (uuid.UUID, bool, error) {
	if once.Key == "" {
		id, err := do()
		return id, false, err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return uuid.Nil, false, err
	}
	now := time.Now().UTC()
	if earlier, err := r.keys.Find(ctx, actor.ID, once.Key, once.Request, now); err != nil || earlier != uuid.Nil {
		return earlier, true, err
	}
	id, err := do()
	if err != nil {
		return uuid.Nil, false, err
	}
	return id, false, r.keys.Remember(ctx, actor.ID, once.Key, once.Request, id, now, now.Add(idempotencyPeriod))
}

// repeated makes a row in the transaction of ctx, or finds the one that the actor's earlier request with this key made.
func repeated[M interface{ Identity() uuid.UUID }](ctx context.Context, r repeats, once Idempotency,
	find func(context.Context, uuid.UUID) (M, error), create func() (M, error),
) (m M, err error) {
	id, again, err := r.once(ctx, once, func() (uuid.UUID, error) {
		if m, err = create(); err != nil {
			return uuid.Nil, err
		}
		return m.Identity(), nil
	})
	if err == nil && again {
		return find(ctx, id)
	}
	return m, err
}

// adding is what it takes to add rows to patients.
type adding struct {
	store   Store
	care    *Care
	repeats repeats
}

// addTo adds a row to a patient whom permission p reaches, in a unit of work of its own, or finds what the actor's earlier request with this key made. It
// returns a Forbidden or a NotFound error, that of create, or a KeyReused one.
func addTo[M interface{ Identity() uuid.UUID }](ctx context.Context, a adding, p Permission, intent audit.Intent, patientID uuid.UUID, once Idempotency,
	find func(context.Context, uuid.UUID) (M, error), create func(context.Context) (M, error),
) (m M, err error) {
	err = once.attempt(func() error {
		return guarded(ctx, a.store, p, intent, a.store.InTx, func(ctx context.Context) error {
			if err := a.care.inCareFor(ctx, patientID); err != nil {
				return err
			}
			m, err = repeated(ctx, a.repeats, once, find, func() (M, error) { return create(ctx) })
			return err
		})
	})
	if err != nil {
		return *new(M), err
	}
	return m, nil
}
