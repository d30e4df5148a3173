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
	// strangersFactor: all addresses from which an account never logged in share this many times the budget of one address.
	strangersFactor = 10
	// tallyPeriod is how long a failure counts after the last one.
	tallyPeriod = 24 * time.Hour
	// familiarPeriod is how long an address stays familiar after a login.
	familiarPeriod = 90 * 24 * time.Hour
)

// loginThrottle makes guessing passwords slow without giving anybody the means to lock others out. For each e-mail, every network address has a
// budget of failures of its own. Addresses from which nobody logged in as this account share another one, so that many addresses do not make many
// guesses; the owner, at a familiar address, is not affected by strangers. Each failure beyond a budget doubles the wait
// before the next attempt. An e-mail without an account is treated in the same way.
type loginThrottle struct {
	tallies *repository.LoginTallyRepository
	budget  int64
	first   time.Duration // the wait after the failure that uses up the budget; each further one doubles it
	longest time.Duration
}

// begin counts an attempt to prove to be the account with this e-mail, before it is known how it ends: of attempts at the same time no more pass
// than the budget has. It returns a RateLimited error with the time to wait.
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

// names returns the names of the tallies: of the address, and of all strangers.
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
