package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/models"
)

const (
	tellInterval = time.Minute
	// tellPeriod is how long a failing webhook is retried. Older accesses are still in the log and in the weekly
	// review.
	tellPeriod = 24 * time.Hour
	tellBatch  = 100
)

// emergencyNotice is the body of the call to the webhook. It names the account and no patient.
type emergencyNotice struct {
	Event     string    `json:"event"` // break_glass
	ID        uuid.UUID `json:"id"`    // the same if the access is told again
	AccountID uuid.UUID `json:"account_id"`
	At        time.Time `json:"at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// tell writes the log line, and wakes the goroutine that calls the webhook.
func (s *BreakGlassService) tell(ctx context.Context, account uuid.UUID, patients int, expires time.Time) {
	s.log.WarnContext(ctx, "emergency access opened (break-glass)", "account", account, "patients", patients, "expires", expires)
	select {
	case s.wake <- struct{}{}:
	default: // a wake-up is already waiting
	}
}

// TellInBackground tells the webhook of every emergency access, until ctx is done. It repeats a call until the
// webhook answers. With several servers, or after a crash, an access may be told twice.
func (s *BreakGlassService) TellInBackground(ctx context.Context) {
	if s.hook == nil {
		return
	}
	ticker := time.NewTicker(tellInterval)
	defer ticker.Stop()
	for {
		if err := s.tellWebhook(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "the webhook can't be told of an emergency access", "error", err)
		}
		select {
		case <-ticker.C:
		case <-s.wake:
		case <-ctx.Done():
			return
		}
	}
}

// tellWebhook calls the webhook for each access not yet reported, the oldest first.
func (s *BreakGlassService) tellWebhook(ctx context.Context) error {
	for {
		untold, err := s.accesses.Untold(ctx, time.Now().UTC().Add(-tellPeriod), tellBatch)
		if err != nil || len(untold) == 0 {
			return err
		}
		for _, b := range untold {
			if err := s.hook.Post(ctx, noticeOf(b)); err != nil {
				return err
			}
			if err := s.accesses.Told(ctx, b.ID, time.Now().UTC()); err != nil {
				return err
			}
		}
	}
}

func noticeOf(b *models.BreakGlass) emergencyNotice {
	return emergencyNotice{"break_glass", b.ID, b.AccountID, b.CreatedAt.UTC(), b.ExpiresAt.UTC()}
}
