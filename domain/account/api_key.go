package account

import (
	"cmp"
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

const (
	keyPrefix = "parley_"
	keyDigits = 40
	keyShown  = len(keyPrefix) + 4 // characters by which an owner recognises a key
)

// APIKeyInput is what an owner says about a key.
type APIKeyInput struct {
	ID        domain.APIKeyID // of the key to make, so that a form sent twice makes one; empty = a new one
	Name      string
	Scope     domain.Scope
	ExpiresAt time.Time // zero = never
}

// CreateAPIKey makes a key that acts for an organisation. This is the only time the key itself is told; it is stored as a hash.
// It fails with Invalid, and with Conflict if there is a key with the input's ID.
func (s *Service) CreateAPIKey(ctx context.Context, org domain.OrgID, in APIKeyInput) (key string, k domain.APIKey, err error) {
	p := problems{}
	in.Name = p.name("name", in.Name)
	p.oneOf("scope", string(in.Scope), scopeNames()...)
	if !in.ExpiresAt.IsZero() && !in.ExpiresAt.After(now()) {
		p.add("expires_at", "must lie in the future")
	}
	if in.ExpiresAt.Year() > 9999 { // RFC 3339 knows no later one
		p.add("expires_at", "is too far away: leave it out for a key that never expires")
	}
	if err := p.err(); err != nil {
		return "", domain.APIKey{}, err
	}
	key = keyPrefix + random62(keyDigits)
	k = domain.APIKey{ID: cmp.Or(in.ID, ledger.NewID[domain.APIKeyID]()), OrgID: org, Name: in.Name, Prefix: key[:keyShown], Scope: in.Scope,
		ExpiresAt: in.ExpiresAt.UTC().Truncate(time.Microsecond), CreatedAt: now()}
	if err := s.ledger.CreateAPIKey(ctx, k, hashOf(key)); err != nil {
		return "", domain.APIKey{}, err
	}
	return key, k, nil
}

func scopeNames() (names []string) {
	for _, s := range domain.Scopes() {
		names = append(names, string(s))
	}
	return names
}

// APIKeys lists an organisation's keys, the newest first.
func (s *Service) APIKeys(ctx context.Context, org domain.OrgID) ([]domain.APIKey, error) {
	return s.ledger.APIKeys(ctx, org)
}

// APIKey reads a key, which does not tell the key itself. It fails with NotFound, for another organisation's too.
func (s *Service) APIKey(ctx context.Context, org domain.OrgID, id domain.APIKeyID) (domain.APIKey, error) {
	k, err := s.ledger.APIKey(ctx, org, id)
	return k, found(err, "API key")
}

// DeleteAPIKey makes a key worthless at once. It fails with NotFound.
func (s *Service) DeleteAPIKey(ctx context.Context, org domain.OrgID, id domain.APIKeyID) error {
	return found(s.ledger.DeleteAPIKey(ctx, org, id), "API key")
}

// OrganisationByAPIKey finds whom a key acts for. It fails with Unauthenticated for an unknown, deleted or expired key. The key's
// use is noted once a minute at most.
func (s *Service) OrganisationByAPIKey(ctx context.Context, key string) (domain.Organisation, domain.APIKey, error) {
	return s.organisationByAPIKey(ctx, key, true)
}

// PeekAPIKey is OrganisationByAPIKey for whoever only looks whether a key still opens what it has opened: that is no use of it.
func (s *Service) PeekAPIKey(ctx context.Context, key string) (domain.Organisation, domain.APIKey, error) {
	return s.organisationByAPIKey(ctx, key, false)
}

func (s *Service) organisationByAPIKey(ctx context.Context, key string, used bool) (domain.Organisation, domain.APIKey, error) {
	o, k, expired, err := s.ledger.OrganisationByAPIKey(ctx, hashOf(key), used)
	switch {
	case err != nil && domain.KindOf(err) == domain.NotFound:
		err = &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeUnauthorized, Msg: "this API key is not valid"}
	case err == nil && expired:
		err = &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeUnauthorized,
			Msg: "this API key has expired on " + k.ExpiresAt.UTC().Format("2 January 2006 at 15:04 UTC") + ": make a new one"}
	}
	if err != nil {
		return domain.Organisation{}, domain.APIKey{}, err
	}
	return o, k, nil
}
