package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/models"
	"novamind/repository"
)

// apiKeyPrefix marks a token as an API key's. A session's token has no dot.
const apiKeyPrefix = "nmk."

// APIKeyService keeps the API keys of machines. A key has the role integration, narrowed to its scopes. It acts in
// the name of the account that made it, and ends when that account is disabled. Every method is one unit of work and
// records its event. It returns a Forbidden error if no role of the actor permits it.
type APIKeyService struct {
	store   Store
	keys    *repository.APIKeyRepository
	longest time.Duration
}

// NewAPIKeyService returns the service on a store.
func NewAPIKeyService(store *repository.Store, cfg config.Auth) *APIKeyService {
	return &APIKeyService{store: withNames(store, nil), keys: repository.NewAPIKeyRepository(store), longest: cfg.APIKeyLifetime}
}

// APIKeyInput is the input of an admin for a new key.
type APIKeyInput struct {
	Name      string    `json:"name" max:"200" example:"Laboratory"`
	Scopes    []string  `json:"scopes" values:"scope" unknown:"unknown_scope" minItems:"1" doc:"The permissions of the key."`
	ExpiresAt time.Time `json:"expires_at" doc:"When the key expires: at most auth.api_key_lifetime from now."`
}

// Faults returns the rules that the input breaks.
func (in APIKeyInput) Faults(rules Rules) []apperr.Field {
	return fieldsOf(in.check(time.Now(), rules.APIKeyLifetime))
}

// check returns an Invalid error that names every offending member.
func (in *APIKeyInput) check(now time.Time, longest time.Duration) error {
	var v validation
	v.required("/name", &in.Name, maxOther)
	if len(in.Scopes) == 0 {
		v.add("/scopes", "required", "Must name at least one permission.")
	}
	for i, scope := range in.Scopes {
		if Reach([]string{RoleIntegration}, Permission(scope)) == None {
			v.add("/scopes/"+itoa(i), "unknown_scope", "Must be one of: "+strings.Join(APIKeyScopes(), ", ")+".")
		}
	}
	if !in.ExpiresAt.After(now) || in.ExpiresAt.After(now.Add(longest)) {
		v.add("/expires_at", "out_of_range", "Must be in the future, at most auth.api_key_lifetime from now.")
	}
	return v.err()
}

// APIKeyScopes lists the permissions that a key can have.
func APIKeyScopes() []string {
	var scopes []string
	for _, p := range Permissions() {
		if Reach([]string{RoleIntegration}, p) != None {
			scopes = append(scopes, string(p))
		}
	}
	return scopes
}

// APIKeyWithSecret is a new key with its secret. The client sends the secret to use the key.
type APIKeyWithSecret struct {
	*models.APIKey

	Secret string
}

// Create makes a key. Its secret is shown once. It returns an Invalid error.
func (s *APIKeyService) Create(ctx context.Context, in APIKeyInput) (*APIKeyWithSecret, error) {
	intent := audit.Intent{Action: audit.Create, EntityType: "apikey"}
	create := func(ctx context.Context) (*APIKeyWithSecret, error) {
		if err := in.check(time.Now(), s.longest); err != nil {
			return nil, err
		}
		actor, err := audit.ActorFrom(ctx)
		if err != nil {
			return nil, err
		}
		slices.Sort(in.Scopes)
		secret := apiKeyPrefix + newToken()
		key := &models.APIKey{
			AccountID: actor.ID, Name: in.Name, KeyHash: hashToken(secret), Scopes: slices.Compact(in.Scopes),
			ExpiresAt: in.ExpiresAt.UTC().Truncate(time.Microsecond),
		}
		return &APIKeyWithSecret{key, secret}, s.keys.Create(ctx, key)
	}
	return guarded(ctx, s.store, APIKeyCreate, intent, s.store.InTx, create)
}

// Get returns a key. It returns a NotFound error.
func (s *APIKeyService) Get(ctx context.Context, id uuid.UUID) (*models.APIKey, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "apikey", EntityID: id}
	return guarded(ctx, s.store, APIKeyRead, intent, s.store.Read, func(ctx context.Context) (*models.APIKey, error) {
		return s.keys.ByID(ctx, id)
	})
}

// List returns one page of the keys, expired ones too, and whether there are more.
func (s *APIKeyService) List(ctx context.Context, page Page) ([]*models.APIKey, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "apikey"}
	return guardedPage(ctx, s.store, APIKeyRead, intent, func(ctx context.Context) ([]*models.APIKey, bool, error) {
		return s.keys.List(ctx, page)
	})
}

// Revoke removes a key. On this server the key is refused as soon as Revoke returns, on the other servers soon after.
// Revoke returns a NotFound error, or a Stale error if current refuses the version.
func (s *APIKeyService) Revoke(ctx context.Context, id uuid.UUID, current Precondition) error {
	intent := audit.Intent{Action: audit.RevokeKey, EntityType: "apikey", EntityID: id}
	return guard(ctx, s.store, APIKeyRevoke, intent, s.store.InTx, func(ctx context.Context) error {
		key, err := s.keys.ByID(ctx, id)
		if err != nil {
			return err
		}
		if err := current.check(key.Version); err != nil {
			return err
		}
		return s.keys.Delete(ctx, key)
	})
}
