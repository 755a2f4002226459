package account

import (
	"context"

	"github.com/parley-chat/parley/domain"
)

// Rename gives somebody another name, which stands beside what they answer from then on. It fails with Invalid.
func (s *Service) Rename(ctx context.Context, u domain.User, name string) error {
	p := problems{}
	name = p.name("name", name)
	if err := p.err(); err != nil {
		return err
	}
	return s.ledger.RenameUser(ctx, u.OrgID, u.ID, name)
}

// ChangePassword gives somebody who knows their password another one, and signs them out everywhere but where token is. It fails with Invalid,
// also for a current password that is wrong.
func (s *Service) ChangePassword(ctx context.Context, u domain.User, token, current, password string) error {
	p := problems{}
	p.password("password", password)
	if err := p.err(); err != nil {
		return err
	}
	hash, err := s.ledger.PasswordHash(ctx, u.OrgID, u.ID)
	if err != nil {
		return err
	}
	fits, err := s.compare(ctx, current, hash)
	if err != nil {
		return err
	}
	if !fits {
		return domain.InvalidField("current", "is wrong")
	}
	if hash, err = s.hash(ctx, password); err != nil {
		return err
	}
	return s.ledger.SetPassword(ctx, u.OrgID, u.ID, hash, hashOf(token))
}

// ResetPassword gives whoever has an address another password, for the command line, and signs them out everywhere. It fails with Invalid
// and NotFound.
func (s *Service) ResetPassword(ctx context.Context, email, password string) (domain.User, error) {
	p := problems{}
	email = p.email("email", email)
	p.password("password", password)
	if err := p.err(); err != nil {
		return domain.User{}, err
	}
	u, _, err := s.ledger.UserByEmail(ctx, email)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return u, domain.NotFoundf("nobody has the e-mail address %s", email)
	}
	if err != nil {
		return u, err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return u, err
	}
	return u, s.ledger.SetPassword(ctx, u.OrgID, u.ID, hash, nil)
}
