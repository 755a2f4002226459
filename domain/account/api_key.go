package account

import (
	"context"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

const (
	keyPrefix = "parley_"
	keyDigits = 40
	keyShown  = len(keyPrefix) + 4 // characters by which an owner recognises a key
)

// CreateAPIKey makes a key that acts for an organisation. This is the only time the key itself is told; it is stored as a hash.
// It fails with Invalid.
func (s *Service) CreateAPIKey(ctx context.Context, org domain.OrgID, name string) (key string, k domain.APIKey, err error) {
	p := problems{}
	name = p.name("name", name)
	if err := p.err(); err != nil {
		return "", domain.APIKey{}, err
	}
	key = keyPrefix + random62(keyDigits)
	k = domain.APIKey{ID: ledger.NewID[domain.APIKeyID](), OrgID: org, Name: name, Prefix: key[:keyShown], CreatedAt: now()}
	if err := s.ledger.CreateAPIKey(ctx, k, hashOf(key)); err != nil {
		return "", domain.APIKey{}, err
	}
	return key, k, nil
}

// APIKeys lists an organisation's keys, the newest first.
func (s *Service) APIKeys(ctx context.Context, org domain.OrgID) ([]domain.APIKey, error) {
	return s.ledger.APIKeys(ctx, org)
}

// DeleteAPIKey makes a key worthless at once. It fails with NotFound.
func (s *Service) DeleteAPIKey(ctx context.Context, org domain.OrgID, id domain.APIKeyID) error {
	return found(s.ledger.DeleteAPIKey(ctx, org, id), "API key")
}

// OrganisationByAPIKey finds whom a key acts for. It fails with Unauthenticated for an unknown or deleted key. The key's use is
// noted once a minute at most.
func (s *Service) OrganisationByAPIKey(ctx context.Context, key string) (domain.Organisation, domain.APIKey, error) {
	o, k, err := s.ledger.OrganisationByAPIKey(ctx, hashOf(key))
	if err != nil && domain.KindOf(err) == domain.NotFound {
		err = &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeUnauthorized, Msg: "this API key is not valid"}
	}
	return o, k, err
}
