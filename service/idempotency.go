package service

import (
	"context"
	"slices"
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

// overtaken are the errors of who wants what somebody else just did: perhaps the same request.
var overtaken = []apperr.Code{apperr.Duplicate, apperr.Taken, apperr.Stale, apperr.Conflict, apperr.BadTransition}

// attempt runs do, and once more where the same key may have been stored between its look and its insert: then it finds what the other one did.
func (once Idempotency) attempt(do func() error) error {
	err := do()
	if err != nil && once.Key != "" && slices.Contains(overtaken, apperr.CodeOf(err)) {
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

// RepeatService lets a client ask for a change again without making it twice.
type RepeatService struct{ repeats repeats }

// NewRepeatService returns the service on a store.
func NewRepeatService(store *repository.Store) *RepeatService {
	return &RepeatService{repeats{repository.NewIdempotencyKeyRepository(store)}}
}

// Once runs change, a call of one method of a service that changes the row id, or makes another. The key is stored in the transaction of the
// change. Where the actor's earlier request had the key, nothing changes, and again reads what that request made or changed: whether the actor
// still sees it is for again to ask. It returns their errors, or a KeyReused one where the earlier request was another.
func Once[M any](ctx context.Context, s *RepeatService, once Idempotency, id uuid.UUID,
	change func(context.Context) (M, error), again func(context.Context, uuid.UUID) (M, error),
) (m M, err error) {
	if once.Key == "" {
		return change(ctx)
	}
	r := &repeatable{repeats: s.repeats, once: once, id: id}
	err = once.attempt(func() (err error) {
		m, err = change(context.WithValue(ctx, repeatableKey{}, r))
		return err
	})
	if err == nil && r.again {
		return again(ctx, r.id)
	}
	return m, err
}

// repeatable is a change that a client may ask for again.
type repeatable struct {
	repeats repeats
	once    Idempotency
	id      uuid.UUID
	again   bool
	running bool
}

type repeatableKey struct{}

// doOnce runs do, in the transaction of ctx, unless ctx is about a change that was made already.
func doOnce(ctx context.Context, do func(context.Context) error) error {
	r, ok := ctx.Value(repeatableKey{}).(*repeatable)
	if !ok || r.running { // what a change calls is a part of it
		return do(ctx)
	}
	r.running = true
	defer func() { r.running = false }()
	id, again, err := r.repeats.once(ctx, r.once, func() (uuid.UUID, error) {
		err := do(ctx)
		return r.id, err
	})
	switch {
	case err == nil:
		r.id, r.again = id, again
	case apperr.Is(err, apperr.KeyReused):
		// A denial comes first, as without a key. Nothing that do changes stays: the transaction fails either way.
		if denied := do(ctx); apperr.Is(denied, apperr.NotFound) || apperr.Is(denied, apperr.Forbidden) {
			return denied
		}
	}
	return err
}

// madeOnce says that the change of ctx made a row.
func madeOnce(ctx context.Context, id uuid.UUID) {
	if r, ok := ctx.Value(repeatableKey{}).(*repeatable); ok {
		r.id = id
	}
}
