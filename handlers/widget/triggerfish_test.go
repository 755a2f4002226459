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
