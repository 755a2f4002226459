package widget_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/bridge"
	"github.com/parley-chat/parley/handlers/widget"
)

// What another organisation's people and visitors hold opens no path of ours, whatever the dialect and wherever the token stands. The
// paths are the router's own, so that one which is added is asked for too.
func TestForeignTokensOpenNothing(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, rival := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	w := node(t, l, f, widget.Limits{}, operated(f, rival))
	p := w.player("/compat/construct/ws/chat?session_id=a%2Fb&token=good", websocket.DialOptions{})
	p.play(`
		= connect
		< {"type":"session_start","session_id":"a/b","resumed":false,"message_count":0}`)
	theirs := w.ask(http.MethodPost, "/w/"+rival.Key+"/session", `{}`).Session.Token
	public := map[string]bool{ // what everybody may ask for
		"/widget.js": true, "/demo": true, "/w/{key}/config": true, "/w/{key}/session": true, "/files/{token}/{name}": true,
		"/compat/triggerfish": true, "/compat/smooth/ws": true, "/ws": true, // a client says who it is in its frames
	}
	asked := 0
	err := chi.Walk(routes(w), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if public[route] {
			return nil
		}
		path := strings.NewReplacer("{key}", f.Key, "{id}", "a%2Fb").Replace(route)
		token, want := theirs, http.StatusUnauthorized
		if strings.Contains(route, "sessions") || strings.HasSuffix(route, "/chat") {
			token, want = "rival", http.StatusNotFound
			if !strings.Contains(route, "{id}") {
				return nil // lists, and sessions of their own: the conformance suite sees that they hold nothing of ours
			}
		}
		body := `{"name":"Mine","client_id":"x","content":"x","on":true,"seq":1,"score":5,"url":"x","fields":{"message":"x"}}`
		if method == http.MethodGet {
			body = ""
		}
		for where, a := range map[string]answer{
			"in the query":  w.ask(method, path+"?token="+url.QueryEscape(token), body),
			"in the header": w.ask(method, path, body, "Authorization", "Bearer "+token),
			"as a protocol": w.ask(method, path, body, "Sec-WebSocket-Protocol", "parley.v1, bearer."+token),
		} {
			if a.status != want {
				t.Errorf("%s %s with a foreign token %s: %d %s", method, path, where, a.status, a.body)
			}
			asked++
		}
		return nil
	})
	if err != nil || asked < 3*20 {
		t.Errorf("asked only %d times, %v", asked, err)
	}
	if a := w.ask(http.MethodGet, "/api/sessions/a%2Fb/state?token=good", ""); a.status != http.StatusOK || !strings.Contains(a.body, `"session_id":"a/b"`) {
		t.Errorf("our own session: %d %s", a.status, a.body)
	}
}

// routes are the URLs of a world.
func routes(w *world) chi.Router {
	r := chi.NewRouter()
	w.surface.Routes(r)
	(&bridge.Construct{Chat: w.chat, Operator: w.surface.Operator}).Routes(r)
	return r
}
