package service

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

const (
	totpIssuer    = "NovaMind"
	totpPeriod    = 30 // seconds
	totpSkew      = 1  // steps that a clock may be wrong by (RFC 6238, 5.2)
	recoveryCodes = 10
)

// Enrolment is the data for an authenticator app. It is shown once.
type Enrolment struct {
	Secret string `json:"secret" doc:"The secret of the second factor, in base32."`
	URI    string `json:"uri" doc:"The address for the authenticator app. Show it as a QR code." example:"otpauth://totp/NovaMind:sam@example.org"`
}

// EnrolTOTP gives the actor a new secret for one-time passwords. The secret takes effect once ConfirmTOTP has
// received a code. EnrolTOTP returns a BadCredentials error for a wrong password, RateLimited after too many of
// these, and Duplicate if a second factor is in use.
func (s *AuthService) EnrolTOTP(ctx context.Context, password string) (*Enrolment, error) {
	var out *Enrolment
	err := s.reauthenticated(ctx, audit.EnrolMFA, password, func(ctx context.Context, account *models.Account) error {
		if account.MFASince != nil {
			return apperr.New(apperr.Duplicate, "Your account already has a second factor. Disable it first.")
		}
		key, err := totp.Generate(totp.GenerateOpts{Issuer: totpIssuer, AccountName: account.Email, Period: totpPeriod, SecretSize: 20})
		if err != nil {
			return apperr.Wrap(apperr.Internal, "The secret could not be made.", err)
		}
		if err := s.removeFactor(ctx, account); err != nil {
			return err
		}
		out = &Enrolment{Secret: key.Secret(), URI: key.URL()}
		return s.factors.Create(ctx, &models.SecondFactor{AccountID: account.ID, Secret: phi.Of(key.Secret())})
	})
	return out, err
}

// ConfirmTOTP ends the enrolment with a first code. From then on, every login needs a code. The actor's other
// sessions end, because they were opened without a code. ConfirmTOTP returns the recovery codes, which are shown
// once. It returns a BadCredentials error for a wrong code, RateLimited after too many of these, and NotFound without
// an enrolment.
func (s *AuthService) ConfirmTOTP(ctx context.Context, code string) ([]string, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	account, err := s.accounts.ByID(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	if err := s.throttle.begin(ctx, account.Email); err != nil {
		return nil, err
	}
	var codes []string
	ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.EnableMFA, EntityType: "account", EntityID: actor.ID})
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		if account.MFASince != nil {
			return apperr.New(apperr.Duplicate, "Your account already has a second factor.")
		}
		if err := s.throttle.succeeded(ctx, account.Email); err != nil {
			return err
		}
		factor, err := s.factors.OfAccount(ctx, actor.ID)
		if err != nil {
			return err
		}
		if err := s.useTOTP(ctx, factor, code); err != nil {
			return err
		}
		now := time.Now().UTC().Truncate(time.Microsecond)
		factor.ConfirmedAt, account.MFASince = &now, &now
		if err := errors.Join(s.factors.Update(ctx, factor), s.accounts.Update(ctx, account), s.endOtherSessions(ctx)); err != nil {
			return err
		}
		codes, err = s.renewRecoveryCodes(ctx, account)
		return err
	})
	return codes, err
}

// DisableTOTP removes the actor's second factor. It returns a BadCredentials error for a wrong password or code,
// RateLimited after too many of these, and NotFound if there is no second factor.
func (s *AuthService) DisableTOTP(ctx context.Context, password, code string) error {
	return s.reauthenticated(ctx, audit.DisableMFA, password, func(ctx context.Context, account *models.Account) error {
		if account.MFASince == nil {
			return apperr.New(apperr.NotFound, "Your account has no second factor.")
		}
		if err := s.checkCode(ctx, account.ID, code); err != nil {
			return err
		}
		if err := s.removeSecondFactor(ctx, account); err != nil {
			return err
		}
		return s.accounts.Update(ctx, account)
	})
}

// RenewRecoveryCodes replaces the actor's recovery codes. It returns a BadCredentials error for a wrong password or
// code, RateLimited after too many of these, and NotFound without a second factor.
func (s *AuthService) RenewRecoveryCodes(ctx context.Context, password, code string) ([]string, error) {
	var codes []string
	err := s.reauthenticated(ctx, audit.RenewCodes, password, func(ctx context.Context, account *models.Account) error {
		if account.MFASince == nil {
			return apperr.New(apperr.NotFound, "Your account has no second factor.")
		}
		if err := s.checkCode(ctx, account.ID, code); err != nil {
			return err
		}
		if err := record(ctx, audit.Event{Action: audit.RenewCodes, EntityID: account.ID}); err != nil {
			return err
		}
		var err error
		codes, err = s.renewRecoveryCodes(ctx, account)
		return err
	})
	return codes, err
}

// removeSecondFactor removes an account's second factor and recovery codes, in the transaction of ctx; the caller
// then stores the account. It helps owners that lost the device and every recovery code.
func (s *AuthService) removeSecondFactor(ctx context.Context, account *models.Account) error {
	account.MFASince = nil
	if err := s.factors.ReplaceRecoveryCodes(ctx, account.ID, nil); err != nil {
		return err
	}
	return s.removeFactor(ctx, account)
}

func (s *AuthService) removeFactor(ctx context.Context, account *models.Account) error {
	factor, err := s.factors.OfAccount(ctx, account.ID)
	if apperr.Is(err, apperr.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.factors.Delete(ctx, factor)
}

// checkCode uses up a code of the account's second factor, or a recovery code. Call it inside the transaction of the
// action that the code is for.
func (s *AuthService) checkCode(ctx context.Context, accountID uuid.UUID, code string) error {
	switch {
	case code == "":
		return apperr.New(apperr.TOTPNeeded, "Send a TOTP code of your authenticator app, or a recovery code, as totp.")
	case len(code) != otp.DigitsSix.Length():
		used, err := s.factors.UseRecoveryCode(ctx, accountID, hashRecoveryCode(code))
		if err == nil && !used {
			err = badCredentials()
		}
		return err
	}
	factor, err := s.factors.OfAccount(ctx, accountID)
	if err != nil {
		return err
	}
	return s.useTOTP(ctx, factor, code)
}

// useTOTP accepts a code of the present time, once (RFC 6238, 5.2).
func (s *AuthService) useTOTP(ctx context.Context, factor *models.SecondFactor, code string) error {
	now := time.Now().Unix() / totpPeriod
	matched := int64(-1)
	for step := now - totpSkew; step <= now+totpSkew; step++ { // try every step, even after a match
		ok, err := hotp.ValidateCustom(code, uint64(step), factor.Secret.Plain(), hotp.ValidateOpts{Digits: otp.DigitsSix}) //nolint:gosec // the time is after 1970
		if err == nil && ok {
			matched = step
		}
	}
	if matched < 0 {
		return badCredentials()
	}
	first, err := s.factors.Advance(ctx, factor.AccountID, matched)
	if err == nil && !first {
		err = badCredentials()
	}
	return err
}

func (s *AuthService) renewRecoveryCodes(ctx context.Context, account *models.Account) ([]string, error) {
	codes, hashes := make([]string, recoveryCodes), make([]string, recoveryCodes)
	for i := range codes {
		text := rand.Text() // base32: 16 letters are 80 bits
		codes[i] = text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:16]
		hashes[i] = hashRecoveryCode(codes[i])
	}
	return codes, s.factors.ReplaceRecoveryCodes(ctx, account.ID, hashes)
}

// hashRecoveryCode hashes a code. Hyphens, spaces and lower case do not matter. 80 random bits need no slow hash.
func hashRecoveryCode(code string) string {
	typed := strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(code))
	sum := sha256.Sum256([]byte(typed))
	return hex.EncodeToString(sum[:])
}
