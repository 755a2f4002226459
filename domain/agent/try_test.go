package agent

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

func TestTry(t *testing.T) {
	t.Parallel()
	help := domain.Passage{Article: "h", Title: "What we can help with", Rank: 0.5, Body: "We help with orders and returns."}
	url := func(s script) string { u, _ := service(t, s); return u }
	broken := websocketAgent("http://x")
	for name, tt := range map[string]struct {
		agent    domain.Agent
		ok       bool
		response string
		err      string
	}{
		"builtin":            {builtinAgent(`{}`), true, "We help with orders and returns.", ""},
		"websocket":          {websocketAgent(url(say(`{"content":"A"}`, `{"content":"B","is_final":true}`))), true, "A\n\nB", ""},
		"never ends":         {websocketAgent(url(say(`{"content":"A"}`).then(wait))), true, "A", ""},
		"silent":             {websocketAgent(url(wait)), false, "", "did not answer within 0.5 s"},
		"says nothing":       {websocketAgent(url(wait), func(c map[string]any) { c["timeout_seconds"] = 0.1 }), false, "", "said nothing for 0.1 s"},
		"nobody there":       {websocketAgent("ws://" + deaf(t, false)), false, "", "could not connect: connection refused"},
		"error":              {websocketAgent(url(say(`{"success":false,"error_message":"no"}`))), false, "", "reported an error: no"},
		"bad config":         {broken, false, "", "its configuration is not valid: config.url must start with ws:// or wss://"},
		"a kind of tomorrow": {domain.Agent{Kind: "parrot"}, false, "", `this version does not run agents of kind "parrot"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := &Outbound{}
			t.Cleanup(out.Client().CloseIdleConnections)
			got := try(t.Context(), tt.agent, Deps{Knowledge: &shelf{articles: []domain.Passage{help}}, Outbound: out}, 500*time.Millisecond)
			if got.OK != tt.ok || got.Response != tt.response || got.Error != tt.err {
				t.Errorf("%+v", got)
			}
			if tt.ok && (got.FirstResponseMS <= 0 || strings.HasPrefix(string(tt.agent.Config), `{"url`) && got.ConnectMS <= 0) {
				t.Errorf("timings of %+v", got)
			}
		})
	}
	if got := Try(t.Context(), builtinAgent(`{}`), Deps{}); !got.OK || got.Response != english.unknown[0] {
		t.Errorf("without any knowledge: %+v", got)
	}
}
