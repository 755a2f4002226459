package widget_test

import (
	"context"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// TestRequiredIdentityIsEnforced: whatever says something is refused, by every transport and dialect, until the site has said who
// the visitor is; what says nothing goes through, and leaves nothing.
func TestRequiredIdentityIsEnforced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "require_identity", true)
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "attachments_enabled", true)
	identity := w.signed("u1", "Ann")
	v, l := w.visitor(), w.visitor().hello(0)
	commands := []struct {
		kind, fields string
		says         bool
	}{
		{"message", `"client_id":"c1","content":"hi"`, true},
		{"handoff", `"x":1`, true},
		{"rating", `"score":5`, true},
		{"typing", `"on":true`, false},
		{"read", `"seq":0`, false},
		{"page", `"url":"https://site.example/"`, false},
	}
	for _, c := range commands {
		path := "./" + strings.Replace(c.kind, "message", "messages", 1)
		if a := v.post(path, "{"+c.fields+"}"); c.says && (a.status != 403 || a.Code != "identity_invalid") || !c.says && a.status != 204 {
			t.Errorf("POST %s: %d %s", path, a.status, a.body)
		}
		l.send(websocket.MessageText, []byte(`{"type":"`+c.kind+`",`+c.fields+`}`))
		if !c.says {
			l.quiet()
		} else if f := l.expect("error"); f.Code != "identity_invalid" {
			t.Errorf("%s on a socket: %+v", c.kind, f)
		}
	}
	for _, form := range []string{`{"fields":{"message":"hi"}}`, `{"fields":{"name":"Ann"}}`} {
		if a := v.post("./form", form); a.status != 403 || a.Code != "identity_invalid" {
			t.Errorf("form %s: %d %s", form, a.status, a.body)
		}
	}
	if a := v.send("a.png", pixels); a.status != 403 || a.Code != "identity_invalid" {
		t.Errorf("a file: %d %s", a.status, a.body)
	}
	for name, tt := range map[string]struct {
		path   string
		frames []string // sent in turn, each once the one before was answered
	}{
		"smooth": {"/compat/smooth/ws", []string{`{"action":"create_conversation_session","requestId":"r1","agentId":"` + w.Key + `","userName":"Ann"}`,
			`{"action":"send_message","requestId":"r2","sessionId":"$session","message":"hi"}`}},
		"triggerfish": {"/compat/triggerfish?widget=" + w.Key, []string{`{"type":"message","content":"hi"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.player(tt.path, websocket.DialOptions{})
			p.connect()
			answer := ""
			for _, f := range tt.frames {
				if _, id, ok := strings.Cut(answer, `"sessionId":"`); ok {
					f = strings.Replace(f, "$session", id[:strings.IndexByte(id, '"')], 1)
				}
				p.send(name, websocket.MessageText, f)
				for answer = ""; answer == "" || strings.HasPrefix(answer, `{"type":"session"`); {
					b, err := p.read()
					if err != nil {
						t.Fatal(err)
					}
					answer = string(b)
				}
			}
			if !strings.Contains(answer, "for signed-in visitors only") {
				t.Errorf("answered %s", answer)
			}
		})
	}
	left := func() (n int) {
		if err := w.ledger.NewRaw(`SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM events) + (SELECT count(*) FROM attachments)
+ (SELECT count(*) FROM threads WHERE handling <> 'agent')`).Scan(context.Background(), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := left(); n != 0 {
		t.Errorf("%d things were left by strangers", n)
	}
	if a := v.post("./identify", `{"identity":`+identity+`}`); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := v.post("./messages", `{"client_id":"c2","content":"hi"}`); a.status != 201 {
		t.Errorf("once they are known: %d %s", a.status, a.body)
	}
	if a := v.post("./rating", `{"score":5}`); a.status != 204 {
		t.Errorf("once they are known: %d %s", a.status, a.body)
	}
	if left() == 0 {
		t.Error("nothing is counted")
	}
}
