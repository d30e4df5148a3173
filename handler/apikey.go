package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

type apiKeyAnswer struct {
	rest.Settled `json:"-"`

	ID          uuid.UUID    `json:"id"`
	Version     int64        `json:"version"`
	CreatedAt   time.Time    `json:"created_at"`
	AccountID   uuid.UUID    `json:"account_id" doc:"The account of the admin that made the key."`
	AccountName *models.Name `json:"account_name" example:"Sam Sample"`
	Name        string       `json:"name" example:"Laboratory"`
	Scopes      []string     `json:"scopes" values:"scope" doc:"The permissions of the key."`
	ExpiresAt   time.Time    `json:"expires_at"`
	LastUsedAt  *time.Time   `json:"last_used_at" doc:"The time of the last use, at most one minute out of date."`
}

func newAPIKeyAnswer(k *models.APIKey) apiKeyAnswer {
	answer := apiKeyAnswer{
		Settled: rest.Settled(k.Use == nil && k.NamedBefore(k.UpdatedAt)),
		ID:      k.ID, Version: k.Version, CreatedAt: k.CreatedAt.UTC(), AccountID: k.AccountID, AccountName: k.AccountName(&k.AccountID), Name: k.Name, Scopes: k.Scopes,
		ExpiresAt: k.ExpiresAt.UTC(),
	}
	if k.Use != nil {
		answer.LastUsedAt = web.InUTC(&k.Use.LastUsedAt)
	}
	return answer
}

type apiKeyWithSecret struct {
	apiKeyAnswer

	Key string `json:"key" doc:"The API key, to be sent as bearer token. It is shown only once."`
}

func newAPIKeyWithSecret(k *service.APIKeyWithSecret) apiKeyWithSecret {
	return apiKeyWithSecret{newAPIKeyAnswer(k.APIKey), k.Secret}
}

func (a *API) revokeAPIKey(ctx context.Context, in rest.OfVersion) error {
	return a.APIKeys.Revoke(ctx, in.ID, in.Current)
}
