package domain_test

import (
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

func TestAllowsOrigin(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		allowed string // separated by spaces
		origin  string
		want    bool
	}{
		{"nobody by default", "", "https://site.example", false},
		{"nobody by default, no origin", "", "", false},
		{"exact", "https://site.example", "https://site.example", true},
		{"case of the host does not matter", "https://site.example", "https://Site.Example", true},
		{"another host", "https://site.example", "https://other.example", false},
		{"another scheme", "https://site.example", "http://site.example", false},
		{"another port", "https://site.example", "https://site.example:8443", false},
		{"the scheme's own port", "https://site.example", "https://site.example:443", true},
		{"own port of http", "http://site.example", "http://site.example:80", true},
		{"not the other scheme's port", "http://site.example", "http://site.example:443", false},
		{"port", "http://localhost:3000", "http://localhost:3000", true},
		{"port of another", "http://localhost:3000", "http://localhost:3001", false},
		{"exact does not cover subdomains", "https://site.example", "https://www.site.example", false},
		{"a suffix is no subdomain", "https://site.example", "https://evilsite.example", false},
		{"a prefix is no site", "https://site.example", "https://site.example.evil.example", false},
		{"wildcard: subdomain", "https://*.site.example", "https://www.site.example", true},
		{"wildcard: deep subdomain", "https://*.site.example", "https://a.b.site.example", true},
		{"wildcard: apex", "https://*.site.example", "https://site.example", true},
		{"wildcard: suffix is no subdomain", "https://*.site.example", "https://evilsite.example", false},
		{"wildcard: another scheme", "https://*.site.example", "http://www.site.example", false},
		{"wildcard: another port", "https://*.site.example", "https://www.site.example:8443", false},
		{"wildcard: same port", "https://*.site.example:8443", "https://www.site.example:8443", true},
		{"wildcard: port missing", "https://*.site.example:8443", "https://www.site.example", false},
		{"wildcard in the request", "https://*.site.example", "https://*.site.example", false},
		{"second of the list", "https://a.example https://b.example", "https://b.example", true},
		{"address", "http://192.0.2.7:8080", "http://192.0.2.7:8080", true},
		{"IPv6 address", "http://[::1]:8080", "http://[::1]:8080", true},
		{"any", "*", "https://site.example", true},
		{"any covers a missing origin", "*", "", true},
		{"any covers null", "*", "null", true},
		{"any among others", "https://a.example *", "https://b.example", true},
		{"missing origin", "https://site.example", "", false},
		{"null", "https://site.example", "null", false},
		{"null cannot be listed", "null", "null", false},
		{"path in the request", "https://site.example", "https://site.example/", false},
		{"user in the request", "https://site.example", "https://site.example@evil.example", false},
		{"file page", "https://site.example", "file://", false},
		{"extension", "https://site.example", "chrome-extension://abcdefgh", false},
		{"nonsense", "https://site.example", "https://site.example:99999", false},
		{"several", "https://site.example", "https://site.example https://evil.example", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := domain.Widget{AllowedOrigins: strings.Fields(tt.allowed)}
			if got := w.AllowsOrigin(tt.origin); got != tt.want {
				t.Errorf("a widget for [%s] allows %q: %t, want %t", tt.allowed, tt.origin, got, tt.want)
			}
		})
	}
}

func TestParseAllowedOrigin(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{ // want is empty where the entry is refused
		{"*", "*"},
		{" * ", "*"},
		{"https://site.example", "https://site.example"},
		{"HTTPS://Site.Example/", "https://site.example"},
		{"https://site.example:443", "https://site.example"},
		{"http://site.example:80/", "http://site.example"},
		{"http://site.example:443", "http://site.example:443"},
		{"http://localhost:3000", "http://localhost:3000"},
		{"http://127.0.0.1:3000", "http://127.0.0.1:3000"},
		{"http://[::1]:3000", "http://[::1]:3000"},
		{"https://*.site.example", "https://*.site.example"},
		{"https://*.Site.example:8443/", "https://*.site.example:8443"},
		{"http://*.localhost", "http://*.localhost"},
		{"https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
		{"", ""},
		{"null", ""},
		{"site.example", ""},
		{"//site.example", ""},
		{"ftp://site.example", ""},
		{"https://", ""},
		{"https://*", ""},
		{"https://*.", ""},
		{"https://*.*.site.example", ""},
		{"https://www.*.example", ""},
		{"https://*site.example", ""},
		{"https://*.192.0.2.7", ""},
		{"https://site.example/shop", ""},
		{"https://site.example//", ""},
		{"https://site.example?q=1", ""},
		{"https://site.example?", ""},
		{"https://site.example#top", ""},
		{"https://site.example#", ""},
		{"https://user@site.example", ""},
		{"https://site.example:", ""},
		{"https://site.example:0", ""},
		{"https://site.example:70000", ""},
		{"https://site..example", ""},
		{"https://-site.example", ""},
		{"https://bücher.example", ""},
		{"https://site.example, https://b.example", ""},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			got, err := domain.ParseAllowedOrigin(tt.in)
			if got != tt.want {
				t.Errorf("ParseAllowedOrigin(%q) = %q, want %q", tt.in, got, tt.want)
			}
			if tt.want == "" && (domain.CodeOf(err) != domain.CodeBadField || domain.KindOf(err) != domain.Invalid) {
				t.Errorf("ParseAllowedOrigin(%q) fails with %v, want a bad field", tt.in, err)
			}
			if tt.want != "" && !strings.Contains(tt.want, "*") && !(domain.Widget{AllowedOrigins: []string{got}}).AllowsOrigin(got) {
				t.Errorf("%q does not cover itself", got)
			}
		})
	}
}
