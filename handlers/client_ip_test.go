package handlers

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// mirror is a surface that says who the router takes a client for.
type mirror struct{}

func (mirror) Routes(r chi.Router) {
	r.Get("/who", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, middleware.GetClientIP(r.Context())+" "+r.Header.Get("X-Forwarded-Proto"))
	})
}

type nothing struct{}

func (nothing) Routes(chi.Router) {}

// routed is the real router, with such a surface in it.
func routed(trusted ...string) http.Handler {
	return Routes(Surfaces{
		Widget: mirror{}, Portal: nothing{}, API: nothing{}, Bridge: nothing{}, Chatwoot: nothing{}, MCP: nothing{}, TrustedProxies: trusted, Log: slog.New(slog.DiscardHandler),
		Health: func(context.Context) error { return nil }, Ready: func() bool { return true }, Metrics: http.NotFoundHandler(),
	})
}

func who(h http.Handler, peer string, forwarded ...string) (ip, proto string) {
	r := httptest.NewRequest(http.MethodGet, "/who", nil)
	r.RemoteAddr = peer
	r.Header["X-Forwarded-For"] = forwarded
	r.Header["X-Real-Ip"], r.Header["True-Client-Ip"], r.Header["Cf-Connecting-Ip"] = []string{"6.6.6.6"}, []string{"6.6.6.6"}, []string{"6.6.6.6"}
	r.Header["Forwarded"], r.Header["X-Forwarded-Proto"] = []string{"for=6.6.6.6;proto=https"}, []string{"https"}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	ip, proto, _ = strings.Cut(w.Body.String(), " ")
	return ip, proto
}

func TestClientIP(t *testing.T) {
	proxies := []string{"10.0.0.0/8", "127.0.0.1/32", "fd00::/8"}
	many := strings.Repeat("6.6.6.6, ", 5000)
	for name, tt := range map[string]struct {
		trusted   []string
		peer      string
		forwarded []string
		ip, proto string
	}{
		"nobody is trusted":               {nil, "9.9.9.9:1", []string{"6.6.6.6"}, "9.9.9.9", ""},
		"not even this machine":           {nil, "127.0.0.1:1", []string{"6.6.6.6"}, "127.0.0.1", ""},
		"a stranger forges":               {proxies, "9.9.9.9:1", []string{"6.6.6.6, 10.0.0.1"}, "9.9.9.9", ""},
		"a stranger forges over IPv6":     {proxies, "[2a00::9]:1", []string{"6.6.6.6"}, "2a00::9", ""},
		"by the proxy":                    {proxies, "10.0.0.1:1", []string{"9.9.9.9"}, "9.9.9.9", "https"},
		"by the proxy, mapped":            {proxies, "[::ffff:10.0.0.1]:1", []string{"9.9.9.9"}, "9.9.9.9", "https"},
		"forged before the proxy":         {proxies, "10.0.0.1:1", []string{"6.6.6.6, 9.9.9.9"}, "9.9.9.9", "https"},
		"forged in a header of its own":   {proxies, "10.0.0.1:1", []string{"6.6.6.6", "9.9.9.9"}, "9.9.9.9", "https"},
		"forged as a proxy":               {proxies, "10.0.0.1:1", []string{"6.6.6.6, 10.0.0.7, 9.9.9.9"}, "9.9.9.9", "https"},
		"through two proxies":             {proxies, "10.0.0.1:1", []string{"6.6.6.6, 9.9.9.9, 10.0.0.2"}, "9.9.9.9", "https"},
		"through two, over IPv6":          {proxies, "[fd00::1]:1", []string{"6.6.6.6, 2a00::9, fd00::2"}, "2a00::9", "https"},
		"many hops":                       {proxies, "10.0.0.1:1", []string{many + "9.9.9.9"}, "9.9.9.9", "https"},
		"garbage before":                  {proxies, "10.0.0.1:1", []string{"<script>, 'or 1=1, 9.9.9.9"}, "9.9.9.9", "https"},
		"garbage at the end":              {proxies, "10.0.0.1:1", []string{"6.6.6.6, garbage"}, "", "https"},
		"garbage behind a proxy":          {proxies, "10.0.0.1:1", []string{"6.6.6.6, garbage, 10.0.0.2"}, "", "https"},
		"the proxy says nothing":          {proxies, "10.0.0.1:1", nil, "", "https"},
		"nobody but proxies":              {proxies, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "", "https"},
		"a zone does not make it another": {proxies, "[fd00::1%eth0]:1", []string{"9.9.9.9"}, "9.9.9.9", "https"},
	} {
		if ip, proto := who(routed(tt.trusted...), tt.peer, tt.forwarded...); ip != tt.ip || proto != tt.proto {
			t.Errorf("%s: from %q by %q, want %q by %q", name, ip, proto, tt.ip, tt.proto)
		}
	}
}

// FuzzClientIP looks for a chain by which a client that is behind the proxy, or is not, passes for somebody else.
func FuzzClientIP(f *testing.F) {
	for _, seed := range []string{"", "6.6.6.6", "6.6.6.6,10.0.0.1", "::1", "[::1]:80", "::ffff:6.6.6.6", "fe80::1%eth0", ",,,", "10.0.0.1, , 6.6.6.6", "unknown", "_hidden",
		"6.6.6.6:80", "\"6.6.6.6\"", "06.6.6.6", "6.6.6.6\r\nX-Real-Ip: 7.7.7.7", "\x00", strings.Repeat("1.1.1.1,", 500)} {
		f.Add(seed, seed)
	}
	h := routed("10.0.0.0/8")
	f.Fuzz(func(t *testing.T, first, second string) {
		if ip, proto := who(h, "9.9.9.9:1", first, second); ip != "9.9.9.9" || proto != "" {
			t.Errorf("%q, %q: a stranger passes for %q by %q", first, second, ip, proto)
		}
		// The proxy adds whom it talks to, on the line or below it.
		for _, chain := range [][]string{{first, second + ", 9.9.9.9"}, {first, second, "9.9.9.9"}} {
			if ip, _ := who(h, "10.0.0.1:1", chain...); ip != "9.9.9.9" {
				t.Errorf("%q: somebody behind the proxy passes for %q", chain, ip)
			}
		}
		if ip, _ := who(h, "10.0.0.1:1", first, second); ip != "" {
			if a, err := netip.ParseAddr(ip); err != nil || netip.MustParsePrefix("10.0.0.0/8").Contains(a.Unmap()) {
				t.Errorf("%q, %q: the client is %q", first, second, ip)
			}
		}
	})
}
