package widget_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

func newTriggerfish(t *testing.T) *player {
	t.Helper()
	l, s := ledgertest.New(t), newStage()
	w := node(t, l, ledgertest.Seed(t, l), widget.Limits{}, s.voiced(t, l))
	p := w.player("/compat/triggerfish?widget=$widget", websocket.DialOptions{})
	p.does["let it go on"] = func(*player) { close(s.gate("door")) }
	return p
}

func TestTriggerfish(t *testing.T) {
	t.Parallel()
	p := newTriggerfish(t)
	p.does["stays in the thread"] = func(p *player) {
		eventually(t, "the reply is stored", func() bool {
			var n int
			err := p.ledger.NewRaw(`SELECT count(*) FROM messages WHERE content = 'too late' AND author_kind = 'agent'`).Scan(t.Context(), &n)
			return err == nil && n == 1
		})
	}
	p.playFile("triggerfish.txt")
	var n int
	if err := p.ledger.NewRaw(`SELECT count(DISTINCT contact_id) FROM threads WHERE last_seq > 0`).Scan(t.Context(), &n); err != nil || n != 2 {
		t.Errorf("%d visitors, %v, want one a connection", n, err)
	}
}

func TestTriggerfishRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "allowed_origins", "{https://site.example}")
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	many := append([]string(nil), upgrade...)
	for i := range 5 {
		many = append(many, "X-Many-"+string(rune('a'+i)), strings.Repeat("x", 7<<10))
	}
	tests := []struct {
		name, path string
		header     []string
		status     int
		body       string
	}{
		{"no upgrade", "/compat/triggerfish", nil, http.StatusOK, "WebChat OK"},
		{"another origin", "/compat/triggerfish?widget=" + w.Key, append([]string{"Origin", "https://evil.example"}, upgrade...), http.StatusForbidden, "Forbidden: Origin not allowed"},
		{"no origin", "/compat/triggerfish?widget=" + w.Key, append([]string{"Origin", ""}, upgrade...), http.StatusForbidden, "Forbidden: Origin not allowed"},
		{"a long header", "/compat/triggerfish?widget=" + w.Key, append([]string{"X-Long", strings.Repeat("x", 8<<10+1)}, upgrade...), http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large"},
		{"long headers", "/compat/triggerfish?widget=" + w.Key, many, http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large"},
	}
	for _, tt := range tests {
		if a := w.ask(http.MethodGet, tt.path, "", tt.header...); a.status != tt.status || a.body != tt.body {
			t.Errorf("%s: %d %q", tt.name, a.status, a.body)
		}
	}
	if a := w.ask(http.MethodGet, "/compat/triggerfish?widget=nobodys", "", upgrade...); a.status != http.StatusNotFound || !strings.Contains(a.body, string(domain.CodeUnknownWidget)) {
		t.Errorf("an unknown widget: %d %q", a.status, a.body)
	}
	fits := w.player("/compat/triggerfish?widget=$widget", websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}, "X-Long": {strings.Repeat("x", 8<<10)}}})
	fits.play(`
		= connect
		< {"type":"session","sessionId":"$session"}`)
}

// A line beyond the widget's limits would look like one that nobody answers.
func TestTriggerfishTellsWhyALineWasNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	ledgertest.Set(t, w.ledger, "widgets", w.Widget, "daily_cap", 1)
	w.player("/compat/triggerfish?widget=$widget", websocket.DialOptions{}).play(`
		= connect
		< {"type":"session","sessionId":"$session"}
		> {"type":"message","content":"one"}
		> {"type":"message","content":"two"}
		< {"type":"message","content":"That was the last message for today, please come back tomorrow.","sessionId":"$session"}`)
}
