package service

import (
	"context"
	"log/slog"
	"time"

	"novamind/internal/apperr"
	"novamind/internal/audit"
)

// resealInterval is how often a server looks for values under older keys.
const resealInterval = time.Minute

// ResealInBackground moves values under older keys to the primary keys, at most perSecond rows a second, until ctx is
// done.
func (s *KeyService) ResealInBackground(ctx context.Context, perSecond int, log *slog.Logger) {
	ctx = audit.System(ctx, "reseal")
	ticker := time.NewTicker(resealInterval)
	defer ticker.Stop()
	for {
		done, err := s.resealIfNeeded(ctx, perSecond)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.ErrorContext(ctx, "resealing stopped; the server continues it soon", "code", apperr.CodeOf(err), "error", err)
		case done.Resealed+done.Reindexed > 0:
			log.InfoContext(ctx, "resealed", "rows", done.Resealed, "indexes", done.Reindexed)
		case len(done.Unreadable) > 0:
			log.WarnContext(ctx, "rows that can't be opened stay under older keys", "rows", done.Unreadable)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// resealIfNeeded reads the data only if there are older keys.
func (s *KeyService) resealIfNeeded(ctx context.Context, perSecond int) (Renewed, error) {
	older, err := s.keys.HasOlder(ctx)
	if err != nil || !older {
		return Renewed{}, err
	}
	return s.Reseal(ctx, perSecond, nil)
}
