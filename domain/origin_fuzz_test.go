package domain_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// allowedByHand is what the widget of FuzzAllowsOrigin lets in, said in another way.
var allowedByHand = regexp.MustCompile(`^(https://site\.example(:443)?|https://([a-z0-9_-]+\.)*sub\.example(:443)?|http://localhost:3000)$`)

// FuzzAllowsOrigin looks for an Origin that gets in and is not on the list.
func FuzzAllowsOrigin(f *testing.F) {
	w := domain.Widget{AllowedOrigins: []string{"https://site.example", "https://*.sub.example", "http://localhost:3000"}}
	for _, seed := range []string{
		"https://site.example", "https://site.example:443", "https://a.b.sub.example", "https://sub.example.evil.example", "https://evilsub.example", "null", "",
		"https://site.example@evil.example", "https://evil.example#https://site.example", "https://site.example.", "https://site.example/", "https://*.sub.example",
		"HTTPS://SITE.EXAMPLE", "https://site.example:0443", "https://[::1]", "https://%73ite.example", "https://site.example\x00", "https://s\u0131te.example", "https://sıte.example", "https://K.sub.example",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		if w.AllowsOrigin(origin) && !allowedByHand.MatchString(strings.ToLower(origin)) {
			t.Errorf("%q gets in", origin)
		}
		if (domain.Widget{}).AllowsOrigin(origin) {
			t.Errorf("%q gets in where nobody may", origin)
		}
	})
}

// FuzzParseAllowedOrigin looks for an entry whose normal form is not one, or lets in another site than it says.
func FuzzParseAllowedOrigin(f *testing.F) {
	for _, seed := range []string{"*", "https://*.site.example", " HTTPS://Site.Example:443/ ", "http://localhost:3000", "https://[::1]:8443", "https://[fe80::1%25eth0]", "https://a", "//a", "https://a:99999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		norm, err := domain.ParseAllowedOrigin(entry)
		if err != nil {
			if domain.CodeOf(err) != domain.CodeBadField {
				t.Errorf("%q: %v", entry, err)
			}
			return
		}
		if again, err := domain.ParseAllowedOrigin(norm); err != nil || again != norm {
			t.Errorf("%q is normally %q, and that is %q, %v", entry, norm, again, err)
		}
		w := domain.Widget{AllowedOrigins: []string{norm}}
		site := strings.Replace(norm, "*.", "www.", 1)
		if norm != domain.AnyOrigin && (!w.AllowsOrigin(site) || w.AllowsOrigin("https://stranger.invalid") && norm != "https://stranger.invalid" && norm != "https://*.invalid" && norm != "https://*.stranger.invalid") {
			t.Errorf("%q as %q does not let in %q alone", entry, norm, site)
		}
	})
}
