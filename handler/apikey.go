package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
	"novamind/service"
)

type apiKeyAnswer struct {
	ID         uuid.UUID  `json:"id"`
	Version    int64      `json:"version"`
	CreatedAt  time.Time  `json:"created_at"`
	AccountID  uuid.UUID  `json:"account_id"`
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes"`
	ExpiresAt  time.Time  `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// apiKeyWithSecret is a key with what it is used by. It is shown once.
type apiKeyWithSecret struct {
	apiKeyAnswer
	Key string `json:"key"`
}

func newAPIKeyAnswer(k *models.APIKey) apiKeyAnswer {
	answer := apiKeyAnswer{
		ID: k.ID, Version: k.Version, CreatedAt: k.CreatedAt.UTC(), AccountID: k.AccountID, Name: k.Name, Scopes: k.Scopes, ExpiresAt: k.ExpiresAt.UTC(),
	}
	if k.Use != nil {
		at := k.Use.LastUsedAt.UTC()
		answer.LastUsedAt = &at
	}
	return answer
}

func (a *API) listAPIKeys(c *gin.Context) error {
	q, err := readQuery(c, "limit", "cursor")
	if err != nil {
		return err
	}
	params := q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	span, err := a.cursors.span(c, params, nil)
	if err != nil {
		return err
	}
	found, more, err := a.APIKeys.List(c.Request.Context(), pageOf(span))
	if err != nil {
		return err
	}
	items := make([]apiKeyAnswer, len(found))
	for i, k := range found {
		items[i] = newAPIKeyAnswer(k)
	}
	return writePage(c, span, items, lastID(found, more, func(k *models.APIKey) uuid.UUID { return k.ID }))
}

// createAPIKey takes no Idempotency-Key: a repeat could not show the key again.
func (a *API) createAPIKey(c *gin.Context) error {
	var body service.APIKeyInput
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	key, secret, err := a.APIKeys.Create(c.Request.Context(), body)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/api-keys/"+key.ID.String())
	setETag(c, key.Version)
	return writeJSON(c, http.StatusCreated, apiKeyWithSecret{newAPIKeyAnswer(key), secret})
}

func (a *API) getAPIKey(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	key, err := a.APIKeys.Get(c.Request.Context(), id)
	if err != nil || notModified(c, key.Version) {
		return err
	}
	return writeJSON(c, http.StatusOK, newAPIKeyAnswer(key))
}

func (a *API) revokeAPIKey(c *gin.Context) error {
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	if err := a.APIKeys.Revoke(c.Request.Context(), id, condition.Matches); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
