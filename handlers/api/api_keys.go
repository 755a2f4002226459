package api

import (
	"context"
	"net/http"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// APIKey is what lets a program act for the organisation, without what opens anything.
type APIKey struct {
	ID         string `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Name       string `json:"name" doc:"What to recognise it by; what it does stands in timelines under this name." example:"Warehouse"`
	Prefix     string `json:"prefix" doc:"How the key begins." example:"parley_4Qm0"`
	Scope      string `json:"scope" enum:"read,write,admin" doc:"How far it reaches; each includes those before it." example:"write"`
	ExpiresAt  *Time  `json:"expires_at" nullable:"true" doc:"From when on it is answered with 401; null: never."`
	LastUsedAt *Time  `json:"last_used_at" nullable:"true" doc:"To the minute; null: never."`
	CreatedAt  Time   `json:"created_at"`
	Key        string `json:"key,omitempty" doc:"The key itself. Only in the answer that creates it." example:"parley_4Qm0…"`
}

func showAPIKey(k domain.APIKey) APIKey {
	return APIKey{ID: string(k.ID), Name: k.Name, Prefix: k.Prefix, Scope: string(k.Scope), ExpiresAt: timeOrNull(k.ExpiresAt),
		LastUsedAt: timeOrNull(k.LastUsedAt), CreatedAt: Time(k.CreatedAt)}
}

// APIKeyCreate is the body that makes a key.
type APIKeyCreate struct {
	Name      string       `json:"name" doc:"1 to 80 characters." example:"Warehouse"`
	Scope     domain.Scope `json:"scope" enum:"read,write,admin" doc:"read: whatever there is to read but secrets and keys. write: also what the team does. admin: also what only owners do." example:"write"`
	ExpiresAt *time.Time   `json:"expires_at,omitempty" doc:"From when on it is answered with 401. Absent: never." example:"2036-11-21T09:15:02Z"`
}

type createAPIKeyRequest struct{ Body APIKeyCreate }

func (a *API) apiKeyOperations() {
	const tag = tagKeys
	add(a, ownerOperation(http.MethodGet, "/api-keys", "list-api-keys", tag, "List API keys", "All keys of the organisation, the oldest first."), a.listAPIKeys)
	add(a, creates(ownerOperation(http.MethodPost, "/api-keys", "create-api-key", tag, "Create an API key",
		"The answer is the only one that shows `key`.")), a.createAPIKey)
	add(a, ownerOperation(http.MethodGet, "/api-keys/{id}", "get-api-key", tag, "Read an API key", "What is known of it, not the key itself."), a.getAPIKey)
	add(a, ownerOperation(http.MethodDelete, "/api-keys/{id}", "revoke-api-key", tag, "Revoke an API key", "It opens nothing from now on, also if it is the one you ask with."), a.revokeAPIKey)
}

func (a *API) listAPIKeys(ctx context.Context, in *struct{ Paging }) (*Answer[List[APIKey]], error) {
	all, err := a.Account.APIKeys(ctx, callerOf(ctx).scope())
	if err != nil {
		return nil, err
	}
	keys, next, err := page(all, func(k domain.APIKey) domain.APIKeyID { return k.ID }, in.Paging)
	return list(keys, showAPIKey, next), err
}

func (a *API) createAPIKey(ctx context.Context, in *createAPIKeyRequest) (*Answer[APIKey], error) {
	input := account.APIKeyInput{Name: in.Body.Name, Scope: in.Body.Scope}
	if in.Body.ExpiresAt != nil {
		input.ExpiresAt = *in.Body.ExpiresAt
	}
	key, made, err := a.Account.CreateAPIKey(ctx, callerOf(ctx).scope(), input)
	shown := showAPIKey(made)
	shown.Key = key
	return &Answer[APIKey]{shown}, err
}

func (a *API) getAPIKey(ctx context.Context, in *struct{ Path }) (*Answer[APIKey], error) {
	id, err := domain.ParseID[domain.APIKeyID](in.ID)
	if err != nil {
		return nil, err
	}
	k, err := a.Account.APIKey(ctx, callerOf(ctx).scope(), id)
	return &Answer[APIKey]{showAPIKey(k)}, err
}

func (a *API) revokeAPIKey(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.APIKeyID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.DeleteAPIKey(ctx, callerOf(ctx).scope(), id)
}
