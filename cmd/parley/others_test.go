package main

import (
	"context"
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
