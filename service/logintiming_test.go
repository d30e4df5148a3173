package service_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/service"
)

// TestKnownAndUnknownAccountsTakeAsLong logs in with wrong passwords, to known and unknown accounts in turn, and
// reports both medians and their ratio. It asserts that each login computes one Argon2id hash, which takes nearly all
// of the time. It does not assert times. With NOVAMIND_TEST_LONG there are 1,000 logins of each kind, hashed as
// config.yaml says. Without it there are 20, with the cheapest hash that the configuration allows.
func TestKnownAndUnknownAccountsTakeAsLong(t *testing.T) { //nolint:paralleltest // would change the times
	logins, argon := 20, config.Argon2{MemoryKiB: 7168, Passes: 1, Lanes: 1}
	if os.Getenv("NOVAMIND_TEST_LONG") != "" {
		logins, argon = 1000, config.Default().Auth.Argon2
	}
	for _, engine := range dbtest.Engines() { //nolint:paralleltest // would change the times
		t.Run(engine.Name, func(t *testing.T) {
			b := newServerWith(t, engine.URL(t), filepath.Join(t.TempDir(), "kek"), config.Auth{
				SessionLifetime: time.Hour, SessionIdle: time.Hour, LoginFailures: 1 << 30, LoginLockout: time.Hour, Argon2: argon,
			})
			withAccount(t, b)
			hashes := service.CountHashes(b.auth)
			took := map[string][]time.Duration{}
			for i := range 2 * logins {
				who, address := "known", email
				if (i+i/2)%2 == 1 { // the kinds alternate, so that a slow neighbour affects both
					who, address = "unknown", "nobody@example.org"
				}
				// Each attempt is the first from its address.
				ctx := from(t, fmt.Sprintf("10.0.%d.%d", i/2/200, i/2%200))
				start := time.Now()
				_, err := b.auth.Login(ctx, service.Credentials{Email: address, Password: "wrong horse battery"})
				took[who] = append(took[who], time.Since(start))
				require.True(t, apperr.Is(err, apperr.BadCredentials), "%v", err)
			}
			require.Len(t, took["known"], len(took["unknown"]))
			require.EqualValues(t, 2*logins, hashes.Load())
			known, unknown := medianOf(took["known"]), medianOf(took["unknown"])
			t.Logf("%d logins each: known %v, unknown %v, ratio %.3f", logins, known, unknown, float64(known)/float64(unknown))
		})
	}
}

func medianOf(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
