package widget_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/handlers/widget"
	"github.com/parley-chat/parley/static"
)

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-`)

func TestConfig(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "appearance",
		`{"title":"Help","greeting":"Hello","primary_color":"#112233","position":"bottom_left","contact_info_mode":"required","collect":["email"]}`)
	a := w.ask(http.MethodGet, "./config", "")
	if a.status != http.StatusOK || a.header.Get("Access-Control-Allow-Origin") != origin || a.header.Get("Vary") != "Origin" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	for _, want := range []string{
		`"title":"Help"`, `"greeting":"Hello"`, `"primary_color":"#112233"`, `"position":"bottom_left"`, `"contact_info_mode":"required"`,
		`"collect":["email"]`, `"texts":{}`, `"available":true`, `"agent_name":"Ada"`, `"locale_urls":{"ar":"` + static.Path("widget/ar.js") + `","de":"`, `"chat_url":"` + static.Path("widget/chat.js") + `","more_url":"` + static.Path("widget/more.js") + `"`,
		`"limits":{"max_message_chars":4000,"messages_per_window":1000,"window_seconds":1,"daily_message_cap":0}`,
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %s", want, a.body)
		}
	}
	if uuid.MatchString(a.body) {
		t.Errorf("an internal id in %s", a.body)
	}
	tag := a.header.Get("ETag")
	if again := w.ask(http.MethodGet, "./config", "", "If-None-Match", tag); again.status != http.StatusNotModified || again.body != "" || again.header.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("the same again: %d %q %v", again.status, again.body, again.header)
	}
	ledgertest.Set(t, w.ledger, "agents", w.Agent, "enabled", false)
	if off := w.ask(http.MethodGet, "./config", "", "If-None-Match", tag); off.status != http.StatusOK || !strings.Contains(off.body, `"available":false,"opens_at":null,"offline_form":false,"agent_name":""`) {
		t.Errorf("without its agent: %d %s", off.status, off.body)
	}
}

func TestLoader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	a := w.ask(http.MethodGet, "/widget.js", "", "Origin", "")
	if a.status != http.StatusOK || a.body != string(static.Body("widget/loader.js")) {
		t.Fatalf("%d, %d bytes", a.status, len(a.body))
	}
	for name, want := range map[string]string{
		"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*",
		"Cross-Origin-Resource-Policy": "cross-origin", "X-Content-Type-Options": "nosniff",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if again := w.ask(http.MethodGet, "/widget.js", "", "If-None-Match", a.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("the same again: %d", again.status)
	}
}

func TestDemoPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	a := w.ask(http.MethodGet, "/demo", "", "Origin", "")
	policy := a.header.Get("Content-Security-Policy")
	if a.status != http.StatusOK || !strings.Contains(a.body, w.Key) || !strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("%d %q %s", a.status, policy, a.body)
	}
}

func TestWhoMayEmbed(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	w := node(t, l, ledgertest.Seed(t, l), widget.Limits{}, func(d *widget.Deps) { d.PublicURL = "https://chat.example" })
	const other = "https://other.example"
	tests := []struct {
		name     string
		allowed  string
		header   []string // Origin is https://site.example unless it says otherwise
		status   int
		code     string
		mayRead  string // Access-Control-Allow-Origin
		disabled bool
		path     string
	}{
		{name: "listed", allowed: "{https://site.example}", status: 200, mayRead: origin},
		{name: "anybody", allowed: "{*}", status: 200, mayRead: origin},
		{name: "anybody, null", allowed: "{*}", header: []string{"Origin", "null"}, status: 200, mayRead: "null"},
		{name: "anybody, no origin", allowed: "{*}", header: []string{"Origin", ""}, status: 200},
		{name: "subdomain", allowed: "{https://*.site.example}", header: []string{"Origin", "https://www.site.example"}, status: 200, mayRead: "https://www.site.example"},
		{name: "nobody", allowed: "{}", status: 403, code: "origin_not_allowed"},
		{name: "another", allowed: "{https://site.example}", header: []string{"Origin", other}, status: 403, code: "origin_not_allowed"},
		{name: "no origin", allowed: "{https://site.example}", header: []string{"Origin", ""}, status: 403, code: "origin_not_allowed"},
		{name: "null", allowed: "{https://site.example}", header: []string{"Origin", "null"}, status: 403, code: "origin_not_allowed"},
		{name: "our own page", allowed: "{}", header: []string{"Origin", "https://chat.example"}, status: 200, mayRead: "https://chat.example"},
		{name: "our own page, by another name", allowed: "{}", header: []string{"Origin", w.url}, status: 403, code: "origin_not_allowed"},
		{name: "our own page, whose GETs have no origin", allowed: "{}",
			header: []string{"Origin", "", "Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", "https", "Host", "chat.example"}, status: 200},
		{name: "a site that has us under its own name", allowed: "{https://site.example}",
			header: []string{"Origin", "", "Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", "https", "Host", "site.example"}, status: 200},
		{name: "another site that has us under its own name", allowed: "{https://site.example}",
			header: []string{"Origin", "", "Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", "https", "Host", "other.example"}, status: 403, code: "origin_not_allowed"},
		{name: "switched off", allowed: "{https://site.example}", disabled: true, status: 403, code: "widget_disabled", mayRead: origin},
		{name: "no such widget", allowed: "{}", path: "/w/wid_0000000000000000000000/config", status: 404, code: "unknown_widget", mayRead: origin},
		{name: "no such path", allowed: "{*}", path: "./nothing", status: 404, code: "not_found", mayRead: origin},
	}
	for _, tt := range tests { // one after another: they change the same widget
		t.Run(tt.name, func(t *testing.T) {
			ledgertest.Set(t, w.ledger, "widgets", w.Widget, "allowed_origins", tt.allowed)
			ledgertest.Set(t, w.ledger, "widgets", w.Widget, "enabled", !tt.disabled)
			path := tt.path
			if path == "" {
				path = "./config"
			}
			a := w.ask(http.MethodGet, path, "", tt.header...)
			if a.status != tt.status || a.Code != tt.code || a.header.Get("Access-Control-Allow-Origin") != tt.mayRead || a.header.Get("Vary") != "Origin" {
				t.Errorf("%d %s %v", a.status, a.body, a.header)
			}
			if a.header.Get("Access-Control-Allow-Credentials") != "" || len(a.header.Values("Set-Cookie")) > 0 {
				t.Errorf("credentials: %v", a.header)
			}
			if tt.status != 200 && a.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("not a problem: %v", a.header)
			}
		})
	}
}

// Without a public URL our own pages are those of the host that the request was sent to, if that is surely ours: another site's page may
// have a name that leads here.
func TestOwnPagesMayEmbed(t *testing.T) {
	t.Parallel()
	l, hosts := ledgertest.New(t), &edge.Hosts{}
	w := node(t, l, ledgertest.Seed(t, l), widget.Limits{}, func(d *widget.Deps) { d.Hosts = hosts })
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "allowed_origins", "{}")
	for from, want := range map[string]int{w.url: 200, "https://other.example": 403, "": 403} {
		if a := w.ask(http.MethodGet, "./config", "", "Origin", from); a.status != want {
			t.Errorf("from %q: %d, want %d", from, a.status, want)
		}
	}
	named := func() answer {
		return w.ask(http.MethodGet, "./config", "", "Host", "chat.example.com", "Origin", "http://chat.example.com")
	}
	bare := func() answer {
		return w.ask(http.MethodGet, "./config", "", "Host", "chat.example.com", "Origin", "", "Sec-Fetch-Site", "same-origin")
	}
	if a, b := named(), bare(); a.status != http.StatusForbidden || b.status != http.StatusForbidden {
		t.Errorf("under a name that nobody vouches for: %d, %d", a.status, b.status)
	}
	member := httptest.NewRequest(http.MethodGet, "/inbox", nil)
	member.Host = "chat.example.com"
	hosts.Learn(member)
	if a, b := named(), bare(); a.status != http.StatusOK || b.status != http.StatusOK {
		t.Errorf("under a name that a member came under: %d, %d", a.status, b.status)
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "allowed_origins", "{https://site.example}")
	ask := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type"}
	for _, path := range []string{"./session", "./messages", "./events", "./typing"} {
		a := w.ask(http.MethodOptions, path, "", ask...)
		h := a.header
		if a.status != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != origin || h.Get("Vary") != "Origin" ||
			h.Get("Access-Control-Allow-Methods") != "GET, POST" || h.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, Last-Event-ID" ||
			h.Get("Access-Control-Max-Age") == "" || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", path, a.status, h)
		}
	}
	refused := w.ask(http.MethodOptions, "./session", "", append(ask, "Origin", "https://other.example")...)
	if refused.status != http.StatusForbidden || refused.Code != "origin_not_allowed" || refused.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another page: %d %v", refused.status, refused.header)
	}
}

func TestConnectionsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{Connections: 2})
	v := w.visitor()
	first := v.hello(0)
	v.hello(0)
	for _, path := range []string{"./socket", "./events", "./poll?wait=0"} {
		a := v.get(path, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
		if a.status != http.StatusTooManyRequests || a.Code != "rate_limited" || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if got := w.surface.Connections(); got != 2 {
		t.Errorf("%v connections, want 2", got)
	}
	_ = first.conn.CloseNow()
	eventually(t, "a place is free again", func() bool { return w.surface.Connections() == 1 })
	if a := v.get("./poll?wait=0"); a.status != http.StatusOK {
		t.Errorf("after one has gone: %d %s", a.status, a.body)
	}
}

func TestSessionsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{Sessions: 3})
	begun := time.Now()
	for range 3 {
		w.visitor()
	}
	a := w.ask(http.MethodPost, "./session", `{}`)
	if a.status != http.StatusTooManyRequests || a.Code != "rate_limited" || a.header.Get("Retry-After") != "60" || a.header.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("after %s: %d %s %v", time.Since(begun), a.status, a.body, a.header)
	}
	// Behind a proxy that nobody trusts everybody comes from here: they must not shut each other out.
	for range 4 {
		if a := w.ask(http.MethodPost, "./session", `{}`, "X-From-Here", "1"); a.status != http.StatusOK {
			t.Errorf("from this machine: %d %s", a.status, a.body)
		}
	}
}
