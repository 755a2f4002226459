package account_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// signedIn is a service whose one user, anna, is signed in.
func signedIn(t *testing.T) (s *account.Service, l *ledger.Ledger, token string) {
	t.Helper()
	l = ledgertest.New(t)
	s = account.New(l)
	if _, err := s.SetUp(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	token, _, err := s.SignIn(t.Context(), anna.Email, anna.Password)
	if err != nil {
		t.Fatal(err)
	}
	return s, l, token
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s, l, token := signedIn(t)
	m, err := s.MemberByToken(t.Context(), token)
	if err != nil || m.User.Email != "anna@example.com" || m.User.Role != domain.RoleOwner || m.Organisation.Slug != "acme-bikes" || m.Organisation.ID != m.User.OrgID {
		t.Errorf("signed in is %+v, %v", m, err)
	}
	if m.User.ID == "" || m.User.CreatedAt.IsZero() || m.Organisation.Name != "Acme Bikes" || m.Organisation.CreatedAt.IsZero() {
		t.Errorf("half of it is missing: %+v", m)
	}
	if len(token) < 43 {
		t.Errorf("the token has %d characters", len(token))
	}
	if stored := scan[[]byte](t, l, `SELECT token_hash FROM portal_sessions`); bytes.Contains(stored, []byte(token)) || len(stored) != 32 {
		t.Errorf("the token is stored as %q", stored)
	}
	if stored := scan[string](t, l, `SELECT password_hash FROM users`); !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the password is stored as %q", stored)
	}
	if other, _, err := s.SignIn(t.Context(), "ANNA@example.com", anna.Password); err != nil || other == token {
		t.Errorf("a second sign-in: the same token %t, %v", other == token, err)
	}
}

func TestSignInTellsNothingApart(t *testing.T) {
	t.Parallel()
	s, _, _ := signedIn(t)
	tests := []struct{ name, email, password string }{
		{"wrong password", "anna@example.com", "correct house"},
		{"no password", "anna@example.com", ""},
		{"endless password", "anna@example.com", strings.Repeat("p", 5000)},
		{"unknown address", "eve@example.com", "correct horse"},
		{"no address", "", "correct horse"},
		{"nonsense", "\x00'; DROP TABLE users --", "\x00"},
	}
	messages := map[string]bool{}
	for _, tt := range tests {
		token, u, err := s.SignIn(t.Context(), tt.email, tt.password)
		wantKind(t, err, domain.Unauthenticated)
		if token != "" || u.ID != "" {
			t.Errorf("%s: gives away %q and %+v", tt.name, token, u)
		}
		if err != nil {
			messages[err.Error()] = true
		}
	}
	if len(messages) != 1 {
		t.Errorf("several messages: %v", messages)
	}
}

// An unknown address must cost a hash like any other. The quickest of many tries is what an attacker would compare; on a busy
// machine it takes a few more until both have had theirs.
func TestSignInTakesTheSameTime(t *testing.T) {
	s, _, _ := signedIn(t)
	try := func(email string) time.Duration {
		began := time.Now()
		if _, _, err := s.SignIn(t.Context(), email, "wrong password"); domain.KindOf(err) != domain.Unauthenticated {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	known, unknown := time.Hour, time.Hour
	for range 30 {
		for range 3 {
			known, unknown = min(known, try("anna@example.com")), min(unknown, try("eve@example.com"))
		}
		if unknown > known/2 && known > unknown/2 {
			return
		}
	}
	t.Errorf("a known address takes %v, an unknown one %v", known, unknown)
}

func TestSignInByManyAtOnce(t *testing.T) {
	t.Parallel()
	s, l, _ := signedIn(t)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if _, _, err := s.SignIn(t.Context(), anna.Email, anna.Password); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := scan[int](t, l, `SELECT count(*) FROM portal_sessions`); n != 13 {
		t.Errorf("%d sessions, want 13", n)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.SignIn(gone, anna.Email, anna.Password); err == nil {
		t.Error("somebody who has gone was signed in")
	}
}

func TestMemberByTokenRefuses(t *testing.T) {
	t.Parallel()
	s, l, token := signedIn(t)
	other, _, err := s.SignIn(t.Context(), anna.Email, anna.Password)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name, token string) {
		t.Helper()
		m, err := s.MemberByToken(t.Context(), token)
		if wantKind(t, err, domain.Unauthenticated); m.User.ID != "" || m.Organisation.ID != "" {
			t.Errorf("%s: gives away %+v", name, m)
		}
	}
	refused("nothing", "")
	refused("unknown", "x"+token)
	refused("nonsense", "\x00\xff")

	exec(t, l, `UPDATE portal_sessions SET expires_at = now() - interval '1 second'`)
	refused("expired", token)
	exec(t, l, `UPDATE portal_sessions SET expires_at = now() + interval '1 second'`)
	if _, err := s.MemberByToken(t.Context(), token); err != nil {
		t.Errorf("not expired: %v", err)
	}

	for range 2 { // the second time changes nothing
		if err := s.SignOut(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		refused("signed out", token)
	}
	if _, err := s.MemberByToken(t.Context(), other); err != nil {
		t.Errorf("signing out of one browser ended the other: %v", err)
	}
	if err := s.SignOut(t.Context(), "unknown"); err != nil {
		t.Errorf("signing out twice: %v", err)
	}
	exec(t, l, `DELETE FROM users`)
	refused("the user is gone", other)
}

func TestMemberByTokenProlongsOnceAMinute(t *testing.T) {
	t.Parallel()
	s, l, token := signedIn(t)
	seen := func() (lastSeen, expires time.Time) {
		if _, err := s.MemberByToken(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		return scan[time.Time](t, l, `SELECT last_seen_at FROM portal_sessions`), scan[time.Time](t, l, `SELECT expires_at FROM portal_sessions`)
	}
	fresh, expires := seen()
	if left := time.Until(expires); left < account.SessionLifetime-time.Minute || left > account.SessionLifetime+time.Minute {
		t.Errorf("the session lives for %v", left)
	}
	if again, _ := seen(); !again.Equal(fresh) {
		t.Error("a use within the minute was written down")
	}
	exec(t, l, `UPDATE portal_sessions SET last_seen_at = now() - interval '61 seconds', expires_at = now() + interval '1 hour'`)
	if again, expires := seen(); !again.After(fresh) || time.Until(expires) < account.SessionLifetime-time.Minute {
		t.Errorf("a use after a minute left last_seen_at at %v and expires_at at %v", again, expires)
	}
}

// Whoever only looks whether a sign-in is still good does not make it last.
func TestPeekingIsNoUse(t *testing.T) {
	t.Parallel()
	s, l, token := signedIn(t)
	exec(t, l, `UPDATE portal_sessions SET last_seen_at = now() - interval '29 days', expires_at = now() + interval '1 day'`)
	seen := func() time.Time { return scan[time.Time](t, l, `SELECT last_seen_at FROM portal_sessions`) }
	before := seen()
	m, err := s.PeekMember(t.Context(), token)
	if err != nil || m.User.Email != "anna@example.com" || m.Organisation.ID != m.User.OrgID {
		t.Errorf("%+v, %v", m, err)
	}
	users, err := s.PeekUsers(t.Context(), []string{token, "unknown", ""})
	if err != nil || len(users) != 1 || users[token].Email != "anna@example.com" || users[token].Role != domain.RoleOwner {
		t.Errorf("%+v, %v", users, err)
	}
	if !seen().Equal(before) {
		t.Error("looking was written down as a use")
	}
	if _, err := s.MemberByToken(t.Context(), token); err != nil || !seen().After(before) {
		t.Errorf("a use was not: %v", err)
	}
	if err := s.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PeekMember(t.Context(), token); domain.KindOf(err) != domain.Unauthenticated {
		t.Errorf("after signing out: %v", err)
	}
	if users, err := s.PeekUsers(t.Context(), []string{token}); err != nil || len(users) != 0 {
		t.Errorf("after signing out: %v, %v", users, err)
	}
}

func TestSignInForgetsEndedSessions(t *testing.T) {
	t.Parallel()
	s, l, token := signedIn(t)
	if _, _, err := s.SignIn(t.Context(), anna.Email, anna.Password); err != nil {
		t.Fatal(err)
	}
	exec(t, l, `UPDATE portal_sessions SET expires_at = now() - interval '1 day'`)
	if err := s.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.SignIn(t.Context(), anna.Email, anna.Password); err != nil {
		t.Fatal(err)
	}
	if n := scan[int](t, l, `SELECT count(*) FROM portal_sessions`); n != 1 {
		t.Errorf("%d sessions are kept, want the new one", n)
	}
}
