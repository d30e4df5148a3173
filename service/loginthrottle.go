package service

import (
	"context"
	"time"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/netaddr"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

const (
	// strangersFactor is the factor for all unfamiliar addresses together: they share this many times the budget of
	// one address. An address is unfamiliar if the account never logged in from it.
	strangersFactor = 10
	// tallyPeriod is how long a failure counts after the last one.
	tallyPeriod = 24 * time.Hour
	// familiarPeriod is how long an address stays familiar after a login.
	familiarPeriod = 90 * 24 * time.Hour
)

// loginThrottle makes guessing passwords slow without allowing an attacker to lock others out. For each e-mail, every
// network address has its own budget of failures. Addresses from which nobody logged in as this account share another
// budget, so that many addresses do not allow many guesses. Strangers do not affect the owner at a familiar address.
// Each failure beyond a budget doubles the wait before the next attempt. An e-mail without an account is treated in
// the same way.
type loginThrottle struct {
	tallies *repository.LoginTallyRepository
	budget  int64
	first   time.Duration // the wait after the failure that uses up the budget; each further failure doubles it
	longest time.Duration
}

// begin counts an attempt to log in with this e-mail before its outcome is known. So no more concurrent attempts pass
// than the budget has. begin returns a RateLimited error with the time to wait.
func (t *loginThrottle) begin(ctx context.Context, email string) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	return t.tallies.Settle(ctx, t.names(email, actor.Address), now, func(rows []*models.LoginTally) error {
		here, strangers := rows[0], rows[1]
		counted := []*models.LoginTally{here}
		budgets := []int64{t.budget}
		if !familiar(here, now) {
			counted, budgets = append(counted, strangers), append(budgets, strangersFactor*t.budget)
		}
		for _, tally := range counted {
			if wait := waiting(tally, now); wait > 0 {
				e := apperr.New(apperr.RateLimited, "Too many failed logins for this account. Try again later: see Retry-After.")
				e.RetryAfter = wait
				return e
			}
		}
		for i, tally := range counted {
			t.count(tally, budgets[i], now)
		}
		return nil
	})
}

// succeeded takes back the failure that begin counted. The actor's address is familiar from now on.
func (t *loginThrottle) succeeded(ctx context.Context, email string) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	if err := t.tallies.RemoveExpired(ctx, now); err != nil {
		return err
	}
	return t.tallies.Settle(ctx, t.names(email, actor.Address), now, func(rows []*models.LoginTally) error {
		here, strangers := rows[0], rows[1]
		if !familiar(here, now) {
			strangers.Failures = max(0, strangers.Failures-1)
		}
		until := now.Add(familiarPeriod)
		*here = models.LoginTally{KeyHash: here.KeyHash, LastAt: now, FamiliarUntil: &until, ExpiresAt: until}
		return nil
	})
}

func familiar(tally *models.LoginTally, now time.Time) bool {
	return tally.FamiliarUntil != nil && tally.FamiliarUntil.After(now)
}

// names returns the names of the tallies: the tally of the address, and the tally of all strangers.
func (*loginThrottle) names(email, address string) []string {
	email = phi.NormalizeText(email)
	return []string{"address\x00" + email + "\x00" + netaddr.Group(address), "strangers\x00" + email}
}

func waiting(tally *models.LoginTally, now time.Time) time.Duration {
	if tally.BlockedUntil == nil {
		return 0
	}
	return tally.BlockedUntil.Sub(now)
}

// count adds a failure. Each failure beyond the budget doubles the wait before the next attempt, up to the longest.
func (t *loginThrottle) count(tally *models.LoginTally, budget int64, now time.Time) {
	if now.Sub(tally.LastAt) > tallyPeriod {
		tally.Failures = 0
	}
	tally.Failures++
	tally.LastAt, tally.BlockedUntil = now, nil
	tally.ExpiresAt = now.Add(tallyPeriod)
	if familiar(tally, tally.ExpiresAt) {
		tally.ExpiresAt = *tally.FamiliarUntil
	}
	if over := tally.Failures - budget; over >= 0 {
		wait := t.longest
		if over < 30 { // 2^30 seconds are longer than any lockout
			wait = min(wait, t.first<<over)
		}
		until := now.Add(wait)
		tally.BlockedUntil = &until
	}
}
