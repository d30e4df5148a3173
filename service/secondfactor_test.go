package service_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/repository"
	"novamind/service"
)

// enrolled gives the first account a second factor, and returns its secret and recovery codes. It forgets the code
// that ended the enrolment.
func enrolled(t *testing.T, b *bundle) (secret string, codes []string) {
	t.Helper()
	ctx := holding(t, b, login(t, b))
	enrolment, err := b.auth.EnrolTOTP(ctx, password)
	require.NoError(t, err)
	codes, err = b.auth.ConfirmTOTP(ctx, code(t, enrolment.Secret))
	require.NoError(t, err)
	forgetSteps(t, b)
	return enrolment.Secret, codes
}

// forgetSteps simulates the time until the next code.
func forgetSteps(t *testing.T, b *bundle) {
	t.Helper()
	require.NoError(t, b.db.Exec("DELETE FROM totpuse").Error)
}

func code(t *testing.T, secret string) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, time.Now())
	require.NoError(t, err)
	return c
}

// wrong returns a code that is not valid now.
func wrong(t *testing.T, secret string) string {
	t.Helper()
	right := map[string]bool{}
	for skew := -3; skew <= 3; skew++ {
		c, err := totp.GenerateCode(secret, time.Now().Add(time.Duration(skew)*30*time.Second))
		require.NoError(t, err)
		right[c] = true
	}
	for _, c := range []string{"000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777"} {
		if !right[c] {
			return c
		}
	}
	t.Fatal("every guess is right")
	return ""
}

func withCode(t *testing.T, b *bundle, code string) error {
	t.Helper()
	_, err := b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: password, Code: code})
	return err
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		before, mine := login(t, b), login(t, b)
		ctx := holding(t, b, mine)
		_, err := b.auth.EnrolTOTP(ctx, "wrong horse battery")
		require.True(t, apperr.Is(err, apperr.BadCredentials), "%v", err)
		_, err = b.auth.ConfirmTOTP(ctx, "123456")
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
		first, err := b.auth.EnrolTOTP(ctx, password)
		require.NoError(t, err)
		require.Equal(t, "otpauth://totp/NovaMind:"+email, strings.SplitN(first.URI, "?", 2)[0])
		enrolment, err := b.auth.EnrolTOTP(ctx, password)
		require.NoError(t, err)
		require.NotEqual(t, first.Secret, enrolment.Secret, "an enrolment begun anew has a new secret")
		require.NoError(t, withCode(t, b, ""), "what is not confirmed is not asked for")
		_, err = b.auth.ConfirmTOTP(ctx, wrong(t, enrolment.Secret))
		require.True(t, apperr.Is(err, apperr.BadCredentials), "%v", err)
		confirming := code(t, enrolment.Secret)
		codes, err := b.auth.ConfirmTOTP(ctx, confirming)
		require.NoError(t, err)
		require.Len(t, codes, 10)

		_, err = b.auth.Authenticate(t.Context(), before.Token)
		require.True(t, apperr.Is(err, apperr.Unauthenticated), "a session that was opened without the factor ends")
		account, err := b.auth.Account(ctx, mine.Account.ID)
		require.NoError(t, err)
		require.NotNil(t, account.MFASince)
		for _, again := range []func() error{
			func() error { _, err := b.auth.EnrolTOTP(ctx, password); return err },
			func() error { _, err := b.auth.ConfirmTOTP(ctx, code(t, enrolment.Secret)); return err },
		} {
			require.True(t, apperr.Is(again(), apperr.Duplicate))
		}

		require.True(t, apperr.Is(withCode(t, b, ""), apperr.TOTPNeeded))
		require.True(t, apperr.Is(withCode(t, b, wrong(t, enrolment.Secret)), apperr.BadCredentials))
		require.True(t, apperr.Is(withCode(t, b, "nonsense"), apperr.BadCredentials))
		require.True(t, apperr.Is(withCode(t, b, confirming), apperr.BadCredentials), "the code that ended the enrolment is used up")
		forgetSteps(t, b)
		require.NoError(t, withCode(t, b, code(t, enrolment.Secret)))
		_, err = b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: "wrong horse battery", Code: codes[0]})
		require.True(t, apperr.Is(err, apperr.BadCredentials), "%v", err)
		require.NoError(t, withCode(t, b, strings.ToLower(codes[0])), "a wrong password uses no recovery code up")
		require.True(t, apperr.Is(withCode(t, b, codes[0]), apperr.BadCredentials), "a recovery code counts once")

		outcomes := map[string]int{}
		for _, e := range b.events(t, audit.EnableMFA) {
			outcomes[e.Outcome]++
		}
		require.Equal(t, map[string]int{audit.Success: 1, audit.Failure: 3}, outcomes)
		for _, e := range b.events(t, "") {
			require.NotEqual(t, audit.Read+" secondfactor", e.Action+" "+e.EntityType, "a login shows nobody the secret")
		}
	})
}

// When 20 concurrent logins on two servers send the same code or recovery code, one succeeds.
func TestACodeCountsOnce(t *testing.T) {
	t.Parallel()
	for name, pick := range map[string]func(t *testing.T, secret string, codes []string) string{
		"one-time password": func(t *testing.T, secret string, _ []string) string { t.Helper(); return code(t, secret) },
		"recovery code":     func(_ *testing.T, _ string, codes []string) string { return codes[3] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				one, two := withServers(t, url)
				secret, codes := enrolled(t, one)
				same := pick(t, secret, codes)
				var opened, refused atomic.Int32
				var racers sync.WaitGroup
				for i := range 20 {
					racers.Go(func() {
						_, err := []*bundle{one, two}[i%2].auth.Login(anonymous(t), service.Credentials{Email: email, Password: password, Code: same})
						switch {
						case err == nil:
							opened.Add(1)
						case apperr.Is(err, apperr.BadCredentials):
							refused.Add(1)
						default:
							t.Error(err)
						}
					})
				}
				racers.Wait()
				require.Equal(t, []int32{1, 19}, []int32{opened.Load(), refused.Load()})
			})
		})
	}
}

// A code of an earlier step than the newest used step is refused.
func TestAnOlderCodeIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		secret, _ := enrolled(t, b)
		at := func(d time.Duration) string {
			c, err := totp.GenerateCode(secret, time.Now().Add(d))
			require.NoError(t, err)
			return c
		}
		require.NoError(t, withCode(t, b, at(30*time.Second)))
		require.True(t, apperr.Is(withCode(t, b, at(0)), apperr.BadCredentials))
		forgetSteps(t, b)
		require.True(t, apperr.Is(withCode(t, b, at(-2*time.Minute)), apperr.BadCredentials))
		require.True(t, apperr.Is(withCode(t, b, at(2*time.Minute)), apperr.BadCredentials))
	})
}

func TestSecondFactorIsGivenUp(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		bare := holding(t, b, login(t, b))
		require.True(t, apperr.Is(b.auth.DisableTOTP(bare, password, "123456"), apperr.NotFound))
		_, err := b.auth.RenewRecoveryCodes(bare, password, "123456")
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
		secret, old := enrolled(t, b)
		l, err := b.auth.Login(anonymous(t), service.Credentials{Email: email, Password: password, Code: old[0]})
		require.NoError(t, err)
		ctx := holding(t, b, l)
		codes, err := b.auth.RenewRecoveryCodes(ctx, password, old[1])
		require.NoError(t, err)
		require.True(t, apperr.Is(withCode(t, b, old[2]), apperr.BadCredentials), "the older ones are gone")

		require.True(t, apperr.Is(b.auth.DisableTOTP(ctx, "wrong horse battery", codes[0]), apperr.BadCredentials))
		require.True(t, apperr.Is(b.auth.DisableTOTP(ctx, password, wrong(t, secret)), apperr.BadCredentials))
		require.NoError(t, b.auth.DisableTOTP(ctx, password, codes[0]), "what failed used nothing up")
		require.NoError(t, withCode(t, b, ""))
		require.Zero(t, b.count(t, "secondfactor"))
		require.Zero(t, b.count(t, "recoverycode"))
	})
}

// An account with a second factor does not become weaker if the row of the factor is removed by direct SQL.
func TestAMissingSecondFactorFailsClosed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		secret, _ := enrolled(t, b)
		dbtest.DropTriggers(t, b.db, "secondfactor")
		require.NoError(t, b.db.Exec("DELETE FROM secondfactor").Error)
		require.Error(t, withCode(t, b, code(t, secret)))
		require.True(t, apperr.Is(withCode(t, b, ""), apperr.TOTPNeeded))
	})
}

// Neither the database nor the log holds a secret in plain text.
func TestSecondFactorsAreStoredSealed(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		withAccount(t, b)
		l := login(t, b)
		secret, codes := enrolled(t, b)
		var stored []string
		require.NoError(t, b.db.Raw("SELECT secret FROM secondfactor UNION ALL SELECT code_hash FROM recoverycode").Scan(&stored).Error)
		require.Len(t, stored, 11)
		for _, text := range append(codes, secret) {
			require.NotContains(t, strings.Join(stored, " "), text)
		}
		require.True(t, strings.HasPrefix(stored[0], "phi1:"))
		rolledBack := errors.New("rolled back")
		require.ErrorIs(t, b.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error {
			factors := repository.NewSecondFactorRepository(b.store)
			factor, err := factors.OfAccount(ctx, l.Account.ID)
			require.NoError(t, err)
			factor.Secret = phi.Of("another")
			require.NoError(t, factors.Update(ctx, factor))
			unit, err := audit.Current(ctx)
			require.NoError(t, err)
			diff := unit.Commit()[0].Diff
			require.Equal(t, audit.Diff{"secret": {}}, diff, "the log tells that it changed, and not from or to what")
			return rolledBack
		}), rolledBack)
	})
}
