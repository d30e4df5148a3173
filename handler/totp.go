package handler

import (
	"context"

	"novamind/service"
)

type enrolRequest struct {
	CurrentPassword string `json:"current_password" format:"password"`
}

type codeRequest struct {
	TOTP string `json:"totp" max:"64" doc:"The current TOTP code of the authenticator app." example:"123456"`
}

// provenRequest is a request that needs more proof than a session.
type provenRequest struct {
	CurrentPassword string `json:"current_password" format:"password"`
	TOTP            string `json:"totp" max:"64" doc:"A TOTP code of the authenticator app, or a recovery code." example:"123456"`
}

type recoveryCodesAnswer struct {
	RecoveryCodes []string `json:"recovery_codes" doc:"Each code works once. The codes are shown only in this answer."`
}

func newRecoveryCodesAnswer(codes []string) recoveryCodesAnswer { return recoveryCodesAnswer{codes} }

func (a *API) enrolTOTP(ctx context.Context, in enrolRequest) (*service.Enrolment, error) {
	return a.Auth.EnrolTOTP(ctx, in.CurrentPassword)
}

func (a *API) confirmTOTP(ctx context.Context, in codeRequest) ([]string, error) {
	return a.Auth.ConfirmTOTP(ctx, in.TOTP)
}

func (a *API) disableTOTP(ctx context.Context, in provenRequest) error {
	return a.Auth.DisableTOTP(ctx, in.CurrentPassword, in.TOTP)
}

func (a *API) renewRecoveryCodes(ctx context.Context, in provenRequest) ([]string, error) {
	return a.Auth.RenewRecoveryCodes(ctx, in.CurrentPassword, in.TOTP)
}
