package handler

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

type enrolRequest struct {
	CurrentPassword string `json:"current_password"`
}

type enrolAnswer struct {
	Secret string `json:"secret"`
	URI    string `json:"uri"`
}

type codeRequest struct {
	TOTP string `json:"totp"`
}

// provenRequest is one for which a session is not proof enough.
type provenRequest struct {
	CurrentPassword string `json:"current_password"`
	TOTP            string `json:"totp"` // or a recovery code
}

type recoveryCodesAnswer struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

func (a *API) enrolTOTP(c *gin.Context) error {
	var body enrolRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	enrolment, err := a.Auth.EnrolTOTP(c.Request.Context(), body.CurrentPassword)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, enrolAnswer{enrolment.Secret, enrolment.URI})
}

func (a *API) confirmTOTP(c *gin.Context) error {
	var body codeRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	codes, err := a.Auth.ConfirmTOTP(c.Request.Context(), body.TOTP)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, recoveryCodesAnswer{codes})
}

func (a *API) disableTOTP(c *gin.Context) error {
	var body provenRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	if err := a.Auth.DisableTOTP(c.Request.Context(), body.CurrentPassword, body.TOTP); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (a *API) renewRecoveryCodes(c *gin.Context) error {
	var body provenRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	codes, err := a.Auth.RenewRecoveryCodes(c.Request.Context(), body.CurrentPassword, body.TOTP)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, recoveryCodesAnswer{codes})
}
