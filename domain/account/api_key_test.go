package account_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

func TestAPIKey(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	key, k, err := s.CreateAPIKey(t.Context(), s.org, account.APIKeyInput{Name: " Warehouse ", Scope: domain.ScopeAdmin})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^parley_[0-9A-Za-z]{40}$`).MatchString(key) || !strings.HasPrefix(key, k.Prefix) || len(k.Prefix) > 12 || k.Name != "Warehouse" {
		t.Errorf("made %q, %+v", key, k)
	}
	if stored := scan[[]byte](t, s.ledger, `SELECT key_hash FROM api_keys`); bytes.Contains(stored, []byte(key)) || len(stored) != 32 {
		t.Errorf("the key is stored as %q", stored)
	}
	second, _, err := s.CreateAPIKey(t.Context(), s.org, account.APIKeyInput{Name: "Warehouse", Scope: domain.ScopeAdmin})
	if err != nil || second == key {
		t.Fatalf("a second key: the same %t, %v", second == key, err)
	}

	o, used, err := s.OrganisationByAPIKey(t.Context(), key)
	if err != nil || o.ID != s.org || o.Slug != "acme" || o.Name == "" || used.ID != k.ID || !used.LastUsedAt.IsZero() {
		t.Errorf("the key acts for %+v as %+v, %v", o, used, err)
	}
	for _, wrong := range []string{"", "parley_", key + "x", key[:len(key)-1], strings.ToLower(key), k.Prefix, "\x00"} {
		_, _, err := s.OrganisationByAPIKey(t.Context(), wrong)
		wantKind(t, err, domain.Unauthenticated)
	}

	ks, err := s.APIKeys(t.Context(), s.org)
	if err != nil || len(ks) != 2 || ks[1].ID != k.ID || ks[1].LastUsedAt.IsZero() || !ks[0].LastUsedAt.IsZero() {
		t.Errorf("keys %+v, %v; want the newer first and only the older one used", ks, err)
	}

	other := newOrg(t, s.ledger, "other")
	wantKind(t, s.DeleteAPIKey(t.Context(), other, k.ID), domain.NotFound)
	if ks, err := s.APIKeys(t.Context(), other); err != nil || len(ks) != 0 {
		t.Errorf("the other organisation sees %v, %v", ks, err)
	}
	if err := s.DeleteAPIKey(t.Context(), s.org, k.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.OrganisationByAPIKey(t.Context(), key)
	wantKind(t, err, domain.Unauthenticated)
	if _, _, err := s.OrganisationByAPIKey(t.Context(), second); err != nil {
		t.Errorf("deleting one key ended the other: %v", err)
	}
	wantKind(t, s.DeleteAPIKey(t.Context(), s.org, k.ID), domain.NotFound)
}

func TestAPIKeyNamesItself(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	for _, name := range []string{"", " ", strings.Repeat("k", 81), "a\x00b"} {
		_, _, err := s.CreateAPIKey(t.Context(), s.org, account.APIKeyInput{Name: name, Scope: domain.ScopeAdmin})
		wantProblems(t, err, "name")
	}
}

func TestAPIKeyUseIsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	s := newTenant(t)
	key, _, err := s.CreateAPIKey(t.Context(), s.org, account.APIKeyInput{Name: "Warehouse", Scope: domain.ScopeAdmin})
	if err != nil {
		t.Fatal(err)
	}
	used := func() time.Time {
		if _, _, err := s.OrganisationByAPIKey(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		return scan[time.Time](t, s.ledger, `SELECT last_used_at FROM api_keys`)
	}
	if _, _, err := s.PeekAPIKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if scan[bool](t, s.ledger, `SELECT last_used_at IS NOT NULL FROM api_keys`) {
		t.Error("looking was written down as a use")
	}
	first := used()
	if again := used(); !again.Equal(first) {
		t.Error("a use within the minute was written down")
	}
	exec(t, s.ledger, `UPDATE api_keys SET last_used_at = last_used_at - interval '61 seconds'`)
	if again := used(); !again.After(first) {
		t.Error("a use after a minute was not written down")
	}
}
