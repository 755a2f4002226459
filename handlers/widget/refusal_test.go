package widget_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// Whatever a request is refused for, the answer is a problem that a page may read.
func TestRefusalsAreProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	bearer := []string{"Authorization", "Bearer " + v.token}
	tests := []struct {
		name, method, path string
		header             []string
		status             int
		code               string
		tells              map[string]string
	}{
		{"no token", "GET", "./messages", nil, 401, "unauthorized", map[string]string{"Www-Authenticate": `Bearer realm="parley"`}},
		{"a bad token", "POST", "./messages", []string{"Authorization", "Bearer none"}, 401, "session_expired", map[string]string{"Www-Authenticate": `Bearer realm="parley"`}},
		{"another method", "DELETE", "./messages", bearer, 405, "method_not_allowed", map[string]string{"Allow": "GET, POST"}},
		{"a GET of what is posted", "GET", "./session", nil, 405, "method_not_allowed", map[string]string{"Allow": "POST"}},
		{"a POST of what is read", "POST", "./config", nil, 405, "method_not_allowed", map[string]string{"Allow": "GET"}},
		{"no upgrade", "GET", "./socket", bearer, 426, "upgrade_required", map[string]string{"Upgrade": "websocket"}},
		{"an old WebSocket", "GET", "./socket", append(bearer[:2:2], "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "8", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
			426, "upgrade_required", map[string]string{"Sec-Websocket-Version": "13"}},
		{"nothing there", "GET", "./nothing", nil, 404, "not_found", nil},
		{"nothing at all", "GET", "./", nil, 404, "not_found", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.ask(tt.method, tt.path, "", tt.header...)
			if a.status != tt.status || a.Code != tt.code || a.Detail == "" || a.header.Get("Content-Type") != "application/problem+json" ||
				a.header.Get("Access-Control-Allow-Origin") != origin {
				t.Errorf("%d %s %v", a.status, a.body, a.header)
			}
			for name, want := range tt.tells {
				if got := strings.Join(a.header.Values(name), ", "); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// Before hello nothing but hello is understood; what is no frame at all is told so at any time.
func TestOnlyHelloComesFirst(t *testing.T) {
	t.Parallel()
	l := newWorld(t, widget.Limits{}).visitor().dial()
	tests := []struct{ frame, code, clientID string }{
		{`{"type":"ping","t":1}`, "hello_required", ""},
		{`{"type":"dance","client_id":"c1"}`, "hello_required", "c1"},
		{`{"type":"message","client_id":"c1"}`, "hello_required", "c1"},
		{`{}`, "hello_required", ""},
		{`{"type":"hello","after_seq":"x"}`, "bad_field", ""},
		{`{"type":"hello","after_seq":-1}`, "bad_field", ""},
		{`hello`, "bad_json", ""},
		{`["hello"]`, "bad_json", ""},
	}
	for _, tt := range tests {
		l.send(websocket.MessageText, []byte(tt.frame))
		if f := l.expect("error"); f.Code != tt.code || f.ClientID != tt.clientID || f.Message == "" {
			t.Errorf("%s is answered with %+v", tt.frame, f)
		}
	}
	l.say(map[string]any{"type": "hello", "after_seq": int64(1) << 60}) // ahead of what there is
	l.expect("session")
	l.expect("status")
	l.write("c1", "hi")
	if f := l.expect("ack"); f.Seq != 1 {
		t.Errorf("ack %+v", f)
	}
}

// Frames that are none count against the limit like all others.
func TestNonsenseIsLimitedToo(t *testing.T) {
	t.Parallel()
	l := newWorld(t, widget.Limits{Frames: 10}).visitor().hello(0)
	for range 40 {
		l.send(websocket.MessageText, []byte(`{`))
	}
	limited := 0
	for range 40 {
		if f := l.expect("error"); f.Code == "rate_limited" {
			limited++
		}
	}
	if limited == 0 {
		t.Error("nothing was refused")
	}
}

// What Postgres cannot hold, and what is no text, is kept out and costs nobody an answer.
func TestTextThatIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	nasty := `\u0000 a\ud800b` + "\xff" + `\u2028x`
	a := w.ask(http.MethodPost, "./session", `{"token":"`+nasty+`","page":{"url":"https://site.example/`+nasty+`","title":"`+nasty+`","referrer":"`+nasty+`"},
		"attribution":{"utm_source":"`+nasty+`","`+nasty+`":"x"},"locale":"`+nasty+`","timezone":"`+nasty+`"}`)
	if a.status != 200 || a.Session.Token == "" {
		t.Fatalf("a session: %d %s", a.status, a.body)
	}
	v := &visitor{w, a.Session.Token, domain.SessionID(a.Session.ID)}
	for path, body := range map[string]string{
		"./page":   `{"url":"https://site.example/x","title":"` + nasty + `"}`,
		"./rating": `{"score":5,"comment":"` + nasty + `"}`,
		"./form":   `{"fields":{"name":"` + nasty + `","email":"ann@site.example","phone":"\u0000+1 555\u0007"}}`,
	} {
		v.post("./messages", `{"client_id":"c1","content":"`+nasty+`"}`) // there has to be something to rate
		if a := v.post(path, body); a.status != 204 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if got := v.get("./messages").Messages; len(got) != 1 || got[0].Content != "a\uFFFDb\uFFFD\u2028x" {
		t.Errorf("stored %+v", got)
	}
	if a := v.post("./messages", `{"client_id":"c2","content":"\u0000 \u0000"}`); a.status != 422 || a.Code != "empty_content" {
		t.Errorf("nothing but NUL: %d %s", a.status, a.body)
	}
	for _, id := range []string{`a\u0000b`, strings.Repeat("ü", 65)} {
		if a := v.post("./messages", `{"client_id":"`+id+`","content":"hi"}`); a.status != 422 || a.Code != "bad_field" {
			t.Errorf("client_id %q: %d %s", id, a.status, a.body)
		}
	}
	if a := v.post("./messages", `{"client_id":"`+strings.Repeat("ü", 64)+`","content":"`+strings.Repeat("🚲", 4000)+`"}`); a.status != 201 {
		t.Errorf("as long as can be, in the longest characters: %d %s", a.status, a.body)
	}
	if logs := w.logged.String(); strings.Contains(logs, "level=ERROR") {
		t.Errorf("the log: %s", logs)
	}
}

// Whoever is connected when a widget is switched off or a session ends is told so, whatever node that happened on.
func TestSwitchedOffAndExpired(t *testing.T) {
	t.Parallel()
	tests := []struct {
		reason string
		end    func(w *world, v *visitor)
		code   string // of what is asked afterwards
	}{
		{"disabled", func(w *world, _ *visitor) { ledgertest.Set(w.t, w.ledger, "widgets", w.Widget, "enabled", false) }, "widget_disabled"},
		{"expired", func(w *world, v *visitor) {
			ledgertest.Set(w.t, w.ledger, "sessions", v.id, "expires_at", time.Now().Add(-time.Minute))
		}, "session_expired"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, widget.Limits{LookEvery: 50 * time.Millisecond})
			v := w.visitor()
			l, s := v.hello(0), v.listen("/events")
			s.expect("session", "")
			s.expect("status", "")
			polled := make(chan answer, 1)
			go func() { polled <- v.get("./poll?wait=30") }()
			eventually(t, "all are there", func() bool { return w.surface.Connections() == 3 })
			tt.end(w, v)
			if f := l.expect("bye"); f.Reason != tt.reason || f.ReconnectAfterMS < 500 {
				t.Errorf("bye %+v", f)
			}
			if code := l.closed(); code != websocket.StatusPolicyViolation {
				t.Errorf("closed with %d", code)
			}
			if f := s.expect("bye", ""); f.Reason != tt.reason {
				t.Errorf("stream: bye %+v", f)
			}
			if a := <-polled; a.status != 200 || len(a.Frames) != 0 {
				t.Errorf("poll: %d %s", a.status, a.body)
			}
			if a := v.get("./poll?wait=0"); a.Code != tt.code {
				t.Errorf("afterwards: %d %s", a.status, a.body)
			}
		})
	}
	t.Run("others stay", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, widget.Limits{LookEvery: 20 * time.Millisecond})
		gone, stays := w.visitor(), w.visitor()
		l, other := gone.hello(0), stays.hello(0)
		ledgertest.Set(t, w.ledger, "sessions", gone.id, "expires_at", time.Now().Add(-time.Minute))
		l.expect("bye")
		other.quiet()
		if got := w.surface.Connections(); got > 2 {
			t.Errorf("%v connections", got)
		}
	})
}

// A session is in use whatever it is used for: reading is enough to keep its token good.
func TestUseProlongsASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	v.post("./page", `{"url":"https://site.example/cart","title":"Cart"}`)
	ledgertest.Set(t, w.ledger, "sessions", v.id, "last_seen_at", time.Now().Add(-89*24*time.Hour))
	ledgertest.Set(t, w.ledger, "sessions", v.id, "expires_at", time.Now().Add(time.Hour))
	if a := v.get("./messages"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var expires time.Time
	var page string
	if err := w.ledger.NewRaw("SELECT expires_at, page->>'url' FROM sessions WHERE id = ?", v.id).Scan(t.Context(), &expires, &page); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(expires); left < 89*24*time.Hour || page != "https://site.example/cart" {
		t.Errorf("expires in %s, on page %q", left, page)
	}
}
