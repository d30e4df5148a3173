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

// idempotencyPeriod is how long a repeated request returns the first result.
const idempotencyPeriod = 24 * time.Hour

// Idempotency is a client's promise that two requests with the same key are the same request. The zero value has no
// key.
type Idempotency struct {
	Key     string
	Request string // route and body
}

// overtaken are the errors that a request gets if a concurrent request, perhaps with the same key, has already
// succeeded.
var overtaken = []apperr.Code{apperr.Duplicate, apperr.Taken, apperr.Stale, apperr.Conflict, apperr.BadTransition}

// attempt runs do. It runs do again if a concurrent request may have stored the same key between the lookup and the
// insert: then do finds the result of that request.
func (once Idempotency) attempt(do func() error) error {
	err := do()
	if err != nil && once.Key != "" && slices.Contains(overtaken, apperr.CodeOf(err)) {
		return do()
	}
	return err
}

// repeats remembers the results of requests with an idempotency key.
type repeats struct {
	keys *repository.IdempotencyKeyRepository
}

// once runs do in the transaction of ctx and returns the id of the row that do made. If an earlier request of the
// actor with this key made a row, once returns the id of that row and true; the caller must check that the actor
// still sees it. It returns a KeyReused error if the earlier request was another one.
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

// Once runs change, a call of one service method that changes the row id, or makes another row. The key is stored in
// the transaction of the change. If an earlier request of the actor had the key, nothing changes, and again reads the
// row that the earlier request made or changed; again must check that the actor still sees it. Once returns their
// errors, or a KeyReused one if the earlier request was another one.
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

// repeatable is a change that a client may request again.
type repeatable struct {
	repeats repeats
	once    Idempotency
	id      uuid.UUID
	again   bool
	running bool
}

type repeatableKey struct{}

// doOnce runs do in the transaction of ctx, unless ctx is about a change that was already made.
func doOnce(ctx context.Context, do func(context.Context) error) error {
	r, ok := ctx.Value(repeatableKey{}).(*repeatable)
	if !ok || r.running { // a nested call is part of the change
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
		// A denial comes first, as without a key. Nothing that do changes is kept, because the transaction fails
		// either way.
		if denied := do(ctx); apperr.Is(denied, apperr.NotFound) || apperr.Is(denied, apperr.Forbidden) {
			return denied
		}
	}
	return err
}

// madeOnce records that the change of ctx made a row.
func madeOnce(ctx context.Context, id uuid.UUID) {
	if r, ok := ctx.Value(repeatableKey{}).(*repeatable); ok {
		r.id = id
	}
}
