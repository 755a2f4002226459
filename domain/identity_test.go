package domain_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

func TestVerifyIdentity(t *testing.T) {
	t.Parallel()
	const (
		secret = "s3cret"
		// printf %s customer-42:1790000000 | openssl dgst -sha256 -hmac s3cret
		signature = "37223a7dddbd4b44269b84efbd5f9769d40e1d1be0d410ccbbe20e6fd5bee02f"
	)
	now := time.Unix(1790000000, 0)
	sign := func(user string, at int64) string { return domain.SignIdentity(secret, user, at) }
	tests := []struct {
		name      string
		secret    string
		user      string
		timestamp int64
		signature string
		want      bool
	}{
		{"good", secret, "customer-42", 1790000000, signature, true},
		{"a minute old", secret, "customer-42", 1790000000 - 60, sign("customer-42", 1790000000-60), true},
		{"a minute early", secret, "customer-42", 1790000000 + 60, sign("customer-42", 1790000000+60), true},
		{"too old", secret, "customer-42", 1790000000 - 61, sign("customer-42", 1790000000-61), false},
		{"too early", secret, "customer-42", 1790000000 + 61, sign("customer-42", 1790000000+61), false},
		{"the end of time", secret, "customer-42", math.MaxInt64, sign("customer-42", math.MaxInt64), false},
		{"the beginning of time", secret, "customer-42", math.MinInt64, sign("customer-42", math.MinInt64), false},
		{"milliseconds", secret, "customer-42", 1790000000000, sign("customer-42", 1790000000000), false},
		{"another user", secret, "customer-43", 1790000000, signature, false},
		{"another time", secret, "customer-42", 1790000001, signature, false},
		{"another secret", "s3cret2", "customer-42", 1790000000, signature, false},
		{"upper case", secret, "customer-42", 1790000000, strings.ToUpper(signature), false},
		{"cut short", secret, "customer-42", 1790000000, signature[:62], false},
		{"too long", secret, "customer-42", 1790000000, signature + "00", false},
		{"empty", secret, "customer-42", 1790000000, "", false},
		{"no secret", "", "customer-42", 1790000000, domain.SignIdentity("", "customer-42", 1790000000), false},
		{"no user", secret, "", 1790000000, sign("", 1790000000), false},
		{"colon in the user", secret, "a:b", 1790000000, sign("a:b", 1790000000), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := domain.VerifyIdentity(tt.secret, tt.user, tt.timestamp, tt.signature, now)
			if (err == nil) != tt.want {
				t.Fatalf("VerifyIdentity: %v, want good %t", err, tt.want)
			}
			if err != nil && (domain.KindOf(err) != domain.Forbidden || domain.CodeOf(err) != domain.CodeIdentityInvalid) {
				t.Errorf("fails with %v, want Forbidden identity_invalid", err)
			}
		})
	}
}

// FuzzVerifyIdentity: only what the site has signed passes, whatever is sent, and nothing makes it panic.
func FuzzVerifyIdentity(f *testing.F) {
	now := time.Unix(1790000000, 0)
	f.Add("hush", "42", now.Unix(), domain.SignIdentity("hush", "42", now.Unix()))
	f.Add("hush", "42", now.Unix(), domain.SignIdentity("before", "42", now.Unix()))
	f.Add("", "", int64(0), "")
	f.Add("hush", "4:2", int64(-1<<63), "ff")
	f.Fuzz(func(t *testing.T, secret, user string, at int64, signature string) {
		w := domain.Widget{IdentitySecret: secret, PreviousSecret: "before", PreviousUntil: now.Add(time.Hour)}
		ok := w.VerifyIdentity(user, at, signature, now) == nil
		fresh := at >= now.Add(-domain.IdentityWindow).Unix() && at <= now.Add(domain.IdentityWindow).Unix()
		signed := secret != "" && signature == domain.SignIdentity(secret, user, at) || signature == domain.SignIdentity("before", user, at)
		if want := user != "" && fresh && signed; ok != want {
			t.Errorf("%q %q %d %q: passes %v, want %v", secret, user, at, signature, ok, want)
		}
		w.PreviousUntil = now
		if w.VerifyIdentity(user, at, domain.SignIdentity("before", user, at), now) == nil && secret != "before" {
			t.Error("the secret before is good past its end")
		}
	})
}
