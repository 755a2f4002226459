package widget_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

func TestSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	first := w.ask(http.MethodPost, "./session", `{"page":{"url":"https://site.example/shop?utm_source=x","title":"Shop","referrer":""},
		"attribution":{"utm_source":"news"},"locale":"de-DE","timezone":"Europe/Berlin","identity":null,"more":1}`)
	if first.status != http.StatusOK || first.Session.ID == "" || len(first.Session.Token) < 43 || first.Session.Resumed ||
		first.frame.Thread.ID != nil || first.frame.Thread.LastSeq != 0 || first.frame.Thread.Handling != "agent" || first.Contact.Identified {
		t.Fatalf("a new session: %d %s", first.status, first.body)
	}
	if left := time.Until(first.Session.ExpiresAt); left < 89*24*time.Hour || left > 91*24*time.Hour {
		t.Errorf("expires in %s", left)
	}
	if first.Limits["max_message_chars"] != 4000 || first.Limits["messages_per_window"] != 1000 || first.Limits["window_seconds"] != 1 {
		t.Errorf("limits %v", first.Limits)
	}
	v := &visitor{w, first.Session.Token, domain.SessionID(first.Session.ID)}
	v.post("./messages", `{"client_id":"c1","content":"hi"}`)

	again := w.ask(http.MethodPost, "./session", `{"token":"`+first.Session.Token+`"}`)
	if !again.Session.Resumed || again.Session.Token != first.Session.Token || again.Session.ID != first.Session.ID ||
		again.frame.Thread.ID == nil || again.frame.Thread.LastSeq != 1 || again.Session.ExpiresAt.Before(first.Session.ExpiresAt) {
		t.Errorf("resumed: %s", again.body)
	}
	for _, token := range []string{"unknown", strings.Repeat("x", 5000), first.Session.Token + "x"} {
		if a := w.ask(http.MethodPost, "./session", `{"token":"`+token+`"}`); a.status != 200 || a.Session.Resumed || a.Session.ID == first.Session.ID {
			t.Errorf("with a token that is none: %d %s", a.status, a.body)
		}
	}
	ledgertest.Set(t, w.ledger, "sessions", v.id, "expires_at", time.Now().Add(-time.Second))
	if a := w.ask(http.MethodPost, "./session", `{"token":"`+v.token+`"}`); a.status != 200 || a.Session.Resumed {
		t.Errorf("with an expired token: %d %s", a.status, a.body)
	}
	if a := v.get("./messages"); a.status != http.StatusUnauthorized || a.Code != "session_expired" {
		t.Errorf("a request with an expired token: %d %s", a.status, a.body)
	}
}

func TestSessionRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	tests := []struct {
		name, body string
		status     int
		code       string
	}{
		{"half a body", `{"token":`, 400, "bad_json"},
		{"a list", `[]`, 400, "bad_json"},
		{"a number for a token", `{"token":5}`, 422, "bad_field"},
		{"a word for a page", `{"page":"https://site.example"}`, 422, "bad_field"},
		{"numbers for a campaign", `{"attribution":{"utm_source":5}}`, 422, "bad_field"},
		{"more than anybody needs", `{"token":"` + strings.Repeat("x", 70_000) + `"}`, 422, "too_long"},
		{"an identity nobody signed", `{"identity":{"user_id":"u1","timestamp":1,"signature":"00"}}`, 403, "identity_invalid"},
		{"an identity without a user", `{"identity":{}}`, 403, "identity_invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.ask(http.MethodPost, "./session", tt.body)
			if a.status != tt.status || a.Code != tt.code || a.Detail == "" || a.header.Get("Access-Control-Allow-Origin") != origin {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	if a := w.ask(http.MethodPost, "./session", ""); a.status != http.StatusOK {
		t.Errorf("with an empty body: %d %s", a.status, a.body)
	}
}

// signed is a good identity for the widget, as a JSON object.
func (w *world) signed(user, name string) string {
	w.t.Helper()
	const secret = "between the site and us"
	if err := w.ledger.SetIdentitySecret(w.t.Context(), w.Org, w.Widget, secret, time.Time{}); err != nil {
		w.t.Fatal(err)
	}
	now := time.Now().Unix()
	return fmt.Sprintf(`{"user_id":%q,"name":%q,"email":"ann@site.example","timestamp":%d,"signature":%q}`,
		user, name, now, domain.SignIdentity(secret, user, now))
}

func TestIdentifiedSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "require_identity", true)
	stranger := w.visitor()
	if a := stranger.post("./messages", `{"client_id":"c1","content":"hi"}`); a.status != 403 || a.Code != "identity_invalid" {
		t.Errorf("a stranger writes: %d %s", a.status, a.body)
	}
	known := w.ask(http.MethodPost, "./session", `{"identity":`+w.signed("u1", "Ann")+`}`)
	if known.status != 200 || !known.Contact.Identified || known.Contact.Name != "Ann" || known.Contact.Email != "ann@site.example" {
		t.Fatalf("identified: %d %s", known.status, known.body)
	}
	v := &visitor{w, known.Session.Token, domain.SessionID(known.Session.ID)}
	if a := v.post("./messages", `{"client_id":"c1","content":"hi"}`); a.status != 201 {
		t.Errorf("they write: %d %s", a.status, a.body)
	}
	// The same person elsewhere goes on with the same thread.
	if a := stranger.post("./identify", `{"identity":`+w.signed("u1", "Ann")+`}`); a.status != 204 {
		t.Fatalf("identify: %d %s", a.status, a.body)
	}
	if a := stranger.get("./messages"); len(a.Messages) != 1 || a.Messages[0].Content != "hi" {
		t.Errorf("elsewhere: %s", a.body)
	}
}

// Whoever may choose how they are called at the site does not become somebody else here.
func TestIdentityIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	const secret = "between the site and us"
	w.signed("ann", "Ann")
	arrive := func(user string) answer {
		now := time.Now().Unix()
		id, err := json.Marshal(map[string]any{"user_id": user, "timestamp": now, "signature": domain.SignIdentity(secret, user, now)})
		if err != nil {
			t.Fatal(err)
		}
		return w.ask(http.MethodPost, "./session", `{"identity":`+string(id)+`}`)
	}
	ann := arrive("ann")
	v := &visitor{w, ann.Session.Token, domain.SessionID(ann.Session.ID)}
	if a := v.post("./messages", `{"client_id":"c1","content":"hi"}`); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := arrive("ann"); a.frame.Thread.LastSeq != 1 {
		t.Fatalf("ann again: %s", a.body)
	}
	for _, other := range []string{"ann ", " ann", "Ann", "ann\n", "ann\u200b", strings.Repeat("ü", 200)} {
		if a := arrive(other); a.status != 200 || a.frame.Thread.LastSeq != 0 {
			t.Errorf("%q: %d %s", other, a.status, a.body)
		}
	}
	for _, nobody := range []string{"", " ", "an\x00n", "ann\x00", "ann\uFFFD", strings.Repeat("u", 201)} {
		if a := arrive(nobody); a.status != 403 || a.Code != "identity_invalid" {
			t.Errorf("%q: %d %s", nobody, a.status, a.body)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	other := node(t, w.ledger, ledgertest.Seed(t, w.ledger), widget.Limits{}).visitor()
	tests := []struct {
		name   string
		path   string
		header []string
		status int
		code   string
	}{
		{"header", "./messages", []string{"Authorization", "Bearer " + v.token}, 200, ""},
		{"header in another case", "./messages", []string{"Authorization", "bearer " + v.token}, 200, ""},
		{"subprotocol", "./messages", []string{"Sec-WebSocket-Protocol", "parley.v1, bearer." + v.token}, 200, ""},
		{"query", "./messages?token=" + v.token, nil, 200, ""},
		{"the header counts", "./messages?token=" + v.token, []string{"Authorization", "Bearer none"}, 401, "session_expired"},
		{"then the subprotocol", "./messages?token=" + v.token, []string{"Sec-WebSocket-Protocol", "bearer.none"}, 401, "session_expired"},
		{"another scheme is no token", "./messages?token=" + v.token, []string{"Authorization", "Basic none"}, 200, ""},
		{"none", "./messages", nil, 401, "unauthorized"},
		{"none, socket", "./socket", []string{"Connection", "Upgrade", "Upgrade", "websocket"}, 401, "unauthorized"},
		{"none, stream", "./events", nil, 401, "unauthorized"},
		{"none, poll", "./poll", nil, 401, "unauthorized"},
		{"another widget's", "./messages", []string{"Authorization", "Bearer " + other.token}, 401, "session_expired"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a := w.ask(http.MethodGet, tt.path, "", tt.header...); a.status != tt.status || a.Code != tt.code {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	if logs := w.logged.String(); strings.Contains(logs, v.token) {
		t.Errorf("a token in the log: %s", logs)
	}
}
