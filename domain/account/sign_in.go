package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/parley-chat/parley/domain"
)

// SessionLifetime is how long an unused sign-in stays good.
const SessionLifetime = 30 * 24 * time.Hour

const (
	minPassword = 10 // characters
	maxPassword = 200
)

// hashParams are OWASP's recommendation for argon2id: 19 MiB and two passes, about 30 ms.
var hashParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobodysHash is as expensive to compare with as anybody's, and fits no password.
var nobodysHash = func() string {
	random := make([]byte, hashParams.SaltLength+hashParams.KeyLength)
	_, _ = rand.Read(random) // never fails
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", hashParams.Memory, hashParams.Iterations, hashParams.Parallelism,
		b64(random[:hashParams.SaltLength]), b64(random[hashParams.SaltLength:]))
}()

// Member is somebody who is signed in.
type Member struct {
	User         domain.User
	Organisation domain.Organisation
}

// SignIn checks a password and returns the token of a new session, which only the browser keeps. It fails with Unauthenticated,
// in the same words and the same time whether the address is unknown or the password wrong.
func (s *Service) SignIn(ctx context.Context, email, password string) (token string, u domain.User, err error) {
	u, hash, err := s.login(ctx, email, password)
	if err != nil {
		return "", domain.User{}, err
	}
	fits, err := s.compare(ctx, password, hash)
	if err != nil {
		return "", domain.User{}, err
	}
	if !fits {
		return "", domain.User{}, &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeUnauthorized,
			Msg: "the e-mail address or the password is wrong"}
	}
	token = newToken()
	if err := s.ledger.CreatePortalSession(ctx, hashOf(token), u, SessionLifetime); err != nil {
		return "", domain.User{}, err
	}
	return token, u, nil
}

// login finds whose password is to be checked; nobodysHash stands in for whoever does not exist.
func (s *Service) login(ctx context.Context, email, password string) (u domain.User, hash string, err error) {
	// What cannot be an address or a password is looked up all the same: whoever tries must not see a difference in time.
	email, ok := parseEmail(email)
	ok = ok && utf8.RuneCountInString(password) <= maxPassword
	u, hash, err = s.ledger.UserByEmail(ctx, email)
	switch {
	case err == nil && ok:
		return u, hash, nil
	case err == nil || domain.KindOf(err) == domain.NotFound:
		return domain.User{}, nobodysHash, nil
	}
	return domain.User{}, "", err
}

// SignOut ends a session. An unknown token is no failure.
func (s *Service) SignOut(ctx context.Context, token string) error {
	return s.ledger.RevokePortalSession(ctx, hashOf(token))
}

// MemberByToken finds who is signed in with a token. It fails with Unauthenticated for a session that is unknown, signed out of,
// or unused for SessionLifetime. Its use is noted once a minute at most.
func (s *Service) MemberByToken(ctx context.Context, token string) (Member, error) {
	return s.memberByToken(ctx, token, SessionLifetime)
}

// PeekMember is MemberByToken for whoever only looks whether a sign-in is still good: that is no use of it, and it ends as soon as it
// would have.
func (s *Service) PeekMember(ctx context.Context, token string) (Member, error) {
	return s.memberByToken(ctx, token, 0)
}

// PeekUsers finds who is signed in with each of several tokens, as they are now; whose sign-in has ended is left out. It is no use of them.
func (s *Service) PeekUsers(ctx context.Context, tokens []string) (map[string]domain.User, error) {
	hashes := make([][]byte, len(tokens))
	for i, t := range tokens {
		hashes[i] = hashOf(t)
	}
	found, err := s.ledger.PortalUsers(ctx, hashes)
	users := make(map[string]domain.User, len(found))
	for i, t := range tokens {
		if u, ok := found[string(hashes[i])]; ok {
			users[t] = u
		}
	}
	return users, err
}

func (s *Service) memberByToken(ctx context.Context, token string, lifetime time.Duration) (Member, error) {
	u, o, err := s.ledger.PortalSession(ctx, hashOf(token), lifetime)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return Member{}, &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeUnauthorized, Msg: "please sign in"}
	}
	return Member{User: u, Organisation: o}, err
}

func (s *Service) hash(ctx context.Context, password string) (hash string, err error) {
	err = s.hashed(ctx, func() error {
		hash, err = argon2id.CreateHash(password, hashParams)
		return err
	})
	return hash, err
}

func (s *Service) compare(ctx context.Context, password, hash string) (fits bool, err error) {
	err = s.hashed(ctx, func() error {
		fits, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return fits, err
}

// hashed runs f, which takes a processor and 19 MiB, beside at most as many others as there are processors. It fails with
// Unavailable if ctx ends first.
func (s *Service) hashed(ctx context.Context, f func() error) error {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
		return f()
	case <-ctx.Done():
		return &domain.Error{Kind: domain.Unavailable, Code: domain.CodeUnavailable, RetryAfter: time.Second,
			Msg: "too many people sign in at this moment: please try again", Err: ctx.Err()}
	}
}
