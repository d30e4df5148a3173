package service

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/models"
)

// Beyond the budget, each wait is twice the previous one, up to the longest. After a day without a failure, earlier
// failures are forgotten.
func TestThrottleBacksOff(t *testing.T) {
	t.Parallel()
	throttle := &loginThrottle{budget: 3, first: time.Second, longest: 10 * time.Second}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tally := &models.LoginTally{LastAt: now}
	for _, seconds := range []int{0, 0, 1, 2, 4, 8, 10, 10} {
		wait := time.Duration(seconds) * time.Second
		throttle.count(tally, throttle.budget, now)
		require.Equal(t, wait, max(0, waiting(tally, now)))
		now = now.Add(wait)
		require.LessOrEqual(t, waiting(tally, now), time.Duration(0))
	}
	tally.Failures = 1000
	throttle.count(tally, throttle.budget, now)
	require.Equal(t, 10*time.Second, waiting(tally, now))
	now = now.Add(tallyPeriod + time.Second)
	throttle.count(tally, throttle.budget, now)
	require.EqualValues(t, 1, tally.Failures)
}

// A caller that was looked up before forget is not remembered after it. A remembered caller ends with its lease.
func TestCallersForget(t *testing.T) {
	t.Parallel()
	known, err := newCallers()
	require.NoError(t, err)
	now := time.Now()
	alive := leased{&Caller{}, now.Add(callerLease)}
	before := known.generation()
	known.put(before, "a", alive)
	require.NotNil(t, known.get("a", now))
	require.Nil(t, known.get("a", now.Add(callerLease)))
	known.forget([16]byte{})
	require.Nil(t, known.get("a", now))
	known.put(before, "a", alive)
	require.Nil(t, known.get("a", now))
	require.LessOrEqual(t, callerLease, time.Second/2, "a second is promised")
}
