package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// foreign dials an endpoint for clients of another system.
func (s *server) foreign(t *testing.T, path string, protocols ...string) (*websocket.Conn, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	c, _, err := websocket.Dial(ctx, s.url+path, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {s.url}}, Subprotocols: protocols})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c, ctx
}

// The bare host takes Triggerfish clients without losing the portal.
func TestTriggerfishAtTheFrontDoor(t *testing.T) {
	t.Parallel()
	e := environment(t)
	first := serve(t, e, "--demo")
	e["PARLEY_TRIGGERFISH_WIDGET"] = first.demoKey(t)
	first.stop()
	s := serve(t, e, "--demo")
	c, ctx := s.foreign(t, "/")
	var f struct{ Type, Content, SessionID string }
	if err := wsjson.Read(ctx, c, &f); err != nil || f.Type != "session" || !strings.HasPrefix(f.SessionID, "webchat-") {
		t.Fatalf("%+v, %v", f, err)
	}
	if err := wsjson.Write(ctx, c, map[string]any{"type": "message", "content": "How long does shipping to Sweden take?"}); err != nil {
		t.Fatal(err)
	}
	for f.Type != "message" {
		if err := wsjson.Read(ctx, c, &f); err != nil {
			t.Fatal(err)
		}
	}
	if f.Content == "" {
		t.Error("an empty reply")
	}
	res, err := http.Get(s.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if !strings.Contains(res.Header.Get("Content-Type"), "text/html") {
		t.Errorf("without an upgrade / answers %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
}

// apiKey makes a key on the command line, and the organisation with it if there is none yet.
func (e env) apiKey(t *testing.T, org string) string {
	t.Helper()
	if org != "demo" {
		var out output
		if code := run(t.Context(), []string{"owner", "create", "--org", org, "--email", org + "@example.com"}, e.get, strings.NewReader("a long password\n"), &out, &out); code != 0 {
			t.Fatal(out.String())
		}
	}
	var out output
	if code := run(t.Context(), []string{"apikey", "create", "--org", org, "--json"}, e.get, strings.NewReader(""), &out, &out); code != 0 {
		t.Fatal(out.String())
	}
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(out.String()), &made); err != nil {
		t.Fatal(err)
	}
	return made.Key
}

// An operator talks to the demo's agent over Construct's socket, and looks after the session over its HTTP.
func TestConstructClients(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	key, foreign := e.apiKey(t, "demo"), e.apiKey(t, "other")
	c, ctx := s.foreign(t, "/ws/chat?session_id=orders&name=Orders", "construct.v1", "bearer."+key)
	if c.Subprotocol() != "construct.v1" {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	if err := wsjson.Write(ctx, c, map[string]any{"type": "message", "content": "How long does shipping to Sweden take?"}); err != nil {
		t.Fatal(err)
	}
	f := map[string]any{}
	for f["type"] != "done" {
		f = map[string]any{}
		if err := wsjson.Read(ctx, c, &f); err != nil || f["type"] == "error" {
			t.Fatal(f, err)
		}
	}
	tests := []struct {
		method, path, key, body string
		status                  int
		has                     string
	}{
		{"GET", "/api/sessions", key, "", 200, `"session_id":"orders"`},
		{"GET", "/compat/construct/api/sessions", key, "", 200, `"name":"Orders"`},
		{"GET", "/api/sessions", foreign, "", 200, `{"sessions":[]}`},
		{"GET", "/api/sessions", "nonsense", "", 401, "Unauth"},
		{"GET", "/api/sessions/running", key, "", 200, `{"sessions":[]}`},
		{"GET", "/api/sessions/orders/messages", key, "", 200, `"role":"user","content":"How long does shipping to Sweden take?"`},
		{"GET", "/api/sessions/orders/messages", key, "", 200, `"session_persistence":true`},
		{"GET", "/api/sessions/orders/messages", foreign, "", 404, "not_found"},
		{"GET", "/api/sessions/orders/state", key, "", 200, `{"session_id":"orders","state":"idle"}`},
		{"GET", "/api/sessions/orders/state", foreign, "", 404, "not_found"},
		{"PUT", "/api/sessions/orders", foreign, `{"name":"Mine"}`, 404, "not_found"},
		{"PUT", "/api/sessions/orders", key, `{"name":"Mine"}`, 200, `"name":"Mine"`},
		{"GET", "/api/sessions", key, "", 200, `"name":"Mine"`},
		{"DELETE", "/api/sessions/orders", foreign, "", 404, "not_found"},
		{"DELETE", "/api/sessions/orders", key, "", 200, "orders"},
		{"GET", "/compat/construct/api/sessions/orders/messages", key, "", 404, "not_found"},
	}
	for _, tt := range tests {
		req, err := http.NewRequestWithContext(ctx, tt.method, s.url+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tt.key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != tt.status || !strings.Contains(string(b), tt.has) {
			t.Errorf("%s %s: %d %s, want %d with %s", tt.method, tt.path, res.StatusCode, b, tt.status, tt.has)
		}
	}
}
