package handler

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
	"novamind/service"
)

type consentAnswer struct {
	ID          uuid.UUID  `json:"id"`
	Version     int64      `json:"version"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	PatientID   uuid.UUID  `json:"patient_id"`
	Kind        string     `json:"kind"`
	RecipientID *uuid.UUID `json:"recipient_id"`
	Purpose     string     `json:"purpose"`
	GrantedAt   time.Time  `json:"granted_at"`
	ExpiresAt   *time.Time `json:"expires_at"`
	RevokedAt   *time.Time `json:"revoked_at"`
	RecordedBy  uuid.UUID  `json:"recorded_by"`
}

func newConsentAnswer(m *models.Consent) consentAnswer {
	return consentAnswer{
		ID: m.ID, Version: m.Version, CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(), PatientID: m.PatientID, Kind: m.Kind,
		RecipientID: m.RecipientID, Purpose: m.Purpose.Plain(), GrantedAt: m.GrantedAt.UTC(), ExpiresAt: inUTC(m.ExpiresAt),
		RevokedAt: inUTC(m.RevokedAt), RecordedBy: m.RecordedBy,
	}
}

func writeConsent(c *gin.Context, status int, m *models.Consent) error {
	setETag(c, m.Version)
	return writeJSON(c, status, newConsentAnswer(m))
}

func (a *API) createConsent(c *gin.Context) error {
	var body service.ConsentInput
	patient, once, err := newOfPatient(c, &body)
	if err != nil {
		return err
	}
	m, err := a.Consents.Grant(c.Request.Context(), patient, body, once)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/consents/"+m.ID.String())
	return writeConsent(c, http.StatusCreated, m)
}

// newOfPatient reads a request that adds something to the patient of the path.
func newOfPatient[T any](c *gin.Context, body *T) (uuid.UUID, service.Idempotency, error) {
	if err := decodeBody(c, body); err != nil {
		return uuid.Nil, service.Idempotency{}, err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return uuid.Nil, service.Idempotency{}, err
	}
	once, err := idempotencyOf(c, body)
	return id, once, err
}

func (a *API) getConsent(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	m, err := a.Consents.Get(c.Request.Context(), id)
	if err != nil || notModified(c, m.Version) {
		return err
	}
	return writeConsent(c, http.StatusOK, m)
}

func (a *API) revokeConsent(c *gin.Context) error {
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	m, err := changeOnce(a, c, id, nil, func(ctx context.Context) (*models.Consent, error) {
		return a.Consents.Revoke(ctx, id, condition.Matches)
	}, a.Consents.Get)
	if err != nil {
		return err
	}
	return writeConsent(c, http.StatusOK, m)
}

// revokeConsents answers alike whatever there was to revoke.
func (a *API) revokeConsents(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	if err := a.Consents.RevokeAll(c.Request.Context(), id); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (a *API) listConsents(c *gin.Context) error {
	id, span, err := a.listOfPatient(c)
	if err != nil {
		return err
	}
	found, more, err := a.Consents.Of(c.Request.Context(), id, pageOf(span))
	if err != nil {
		return err
	}
	items := make([]any, len(found))
	for i, m := range found {
		if m.Unreadable() {
			items[i] = unreadableAnswer{m.ID, true}
		} else {
			items[i] = newConsentAnswer(m)
		}
	}
	return writePage(c, span, items, lastID(found, more, func(m *models.Consent) uuid.UUID { return m.ID }))
}

// listOfPatient reads a request for a list of the patient of the path, without filters.
func (a *API) listOfPatient(c *gin.Context) (uuid.UUID, pageSpan, error) {
	q, err := readQuery(c, "limit", "cursor")
	if err != nil {
		return uuid.Nil, pageSpan{}, err
	}
	params := q.Page()
	if err := q.Err(); err != nil {
		return uuid.Nil, pageSpan{}, err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return uuid.Nil, pageSpan{}, err
	}
	span, err := a.cursors.span(c, params, struct{}{})
	return id, span, err
}
