package service

import (
	"context"
	"log/slog"
	"time"

	"novamind/internal/apperr"
	"novamind/internal/audit"
)

const (
	expiryInterval = 15 * time.Second
	expiryBatch    = 500
)

// ExpireHoldsInBackground ends expired holds until ctx is done. Bookings do not depend on it: each booking ends the
// expired holds that it meets.
func (s *AppointmentService) ExpireHoldsInBackground(ctx context.Context, log *slog.Logger) {
	ctx = audit.System(ctx, "expire-holds")
	ticker := time.NewTicker(expiryInterval)
	defer ticker.Stop()
	for {
		if err := s.ExpireHolds(ctx); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "expired holds could not be ended; the server tries again soon", "code", apperr.CodeOf(err), "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// ExpireHolds ends expired holds, some hundreds at most.
func (s *AppointmentService) ExpireHolds(ctx context.Context) error {
	now := time.Now()
	ids, err := s.appointments.AllExpired(ctx, now, expiryBatch)
	if err != nil {
		return err
	}
	for _, id := range ids {
		intent := audit.Intent{Action: audit.Transition, EntityType: "appointment", EntityID: id}
		err := s.store.Retried(audit.WithIntent(ctx, intent), func(ctx context.Context) error {
			parties, err := s.appointments.PartiesOf(ctx, id)
			if err == nil {
				_, err = s.claim(ctx, parties, now)
			}
			return err
		})
		if err != nil && !apperr.Is(err, apperr.NotFound) { // purged meanwhile
			return err
		}
	}
	return nil
}
