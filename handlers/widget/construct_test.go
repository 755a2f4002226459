package widget_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// operated lets tokens of the form org be those of operators.
func operated(f ledgertest.Fixture) func(*widget.Deps) {
	return func(d *widget.Deps) {
		d.Operator = func(_ context.Context, token string) (chat.Operator, error) {
			if token != "good" {
				return chat.Operator{}, &domain.Error{Kind: domain.Unauthenticated, Msg: "no"}
			}
			return chat.Operator{OrgID: f.Org, ExternalID: "parley:user:1", Name: "Otto"}, nil
		}
	}
}

func (w *world) construct(s *stage) *player {
	p := w.player("/compat/construct/ws/chat?session_id=$sid&token=good", websocket.DialOptions{})
	p.names["sid"] = "my-session"
	p.does["let it go on"] = func(*player) { close(s.gate("door")) }
	p.does["the agent works"] = func(p *player) {
		eventually(p.t, "the agent works", func() bool {
			var n int
			err := w.ledger.NewRaw(`SELECT count(*) FROM dispatches WHERE status = 'running'`).Scan(context.Background(), &n)
			return err == nil && n == 1
		})
	}
	p.does["a person writes"] = func(p *player) {
		s, err := w.chat.OperatorSession(p.t.Context(), w.Org, "my-session")
		if err == nil {
			_, _, err = w.chat.Reply(p.t.Context(), w.User, s.ID, string(ledger.NewID[domain.MessageID]()), "Anna here")
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return p
}

func newConstruct(t *testing.T) (*player, *stage) {
	t.Helper()
	l, s := ledgertest.New(t), newStage()
	f := ledgertest.Seed(t, l)
	return node(t, l, f, widget.Limits{}, s.voiced(t, l), operated(f)).construct(s), s
}

func TestConstruct(t *testing.T) {
	t.Parallel()
	p, _ := newConstruct(t)
	p.playFile("construct.txt")
}

func TestConstructTokens(t *testing.T) {
	t.Parallel()
	p, _ := newConstruct(t)
	tests := []struct {
		name      string
		query     string
		header    string
		protocols []string
		selected  string
		good      bool
	}{
		{name: "query", query: "?token=good", good: true},
		{name: "header", header: "Bearer good", good: true},
		{name: "header first", header: "Bearer bad", query: "?token=good"},
		{name: "an empty header does not count", header: "Bearer ", query: "?token=good", good: true},
		{name: "subprotocol", protocols: []string{"construct.v1", "bearer.good"}, selected: "construct.v1", good: true},
		{name: "only what is offered is selected", protocols: []string{"bearer.good"}, good: true},
		{name: "subprotocol before query", protocols: []string{"construct.v1", "bearer.bad"}, query: "?token=good"},
		{name: "none"},
	}
	for _, tt := range tests {
		header := http.Header{"Origin": {origin}}
		if tt.header != "" {
			header.Set("Authorization", tt.header)
		}
		c, res, err := websocket.Dial(t.Context(), p.url+"/ws/chat"+tt.query, &websocket.DialOptions{HTTPHeader: header, Subprotocols: tt.protocols})
		switch {
		case (err == nil) != tt.good:
			t.Errorf("%s: %v", tt.name, err)
		case err != nil && res.StatusCode != http.StatusUnauthorized:
			t.Errorf("%s: %d", tt.name, res.StatusCode)
		case err == nil && c.Subprotocol() != tt.selected:
			t.Errorf("%s: selected %q", tt.name, c.Subprotocol())
		}
		if c != nil {
			_ = c.CloseNow()
		}
	}
	a := p.ask(http.MethodGet, "/ws/chat", "")
	if a.status != http.StatusUnauthorized || a.body != "Unauthorized — provide Authorization header, Sec-WebSocket-Protocol bearer, or ?token= query param" {
		t.Errorf("%d %q", a.status, a.body)
	}
}

func TestConstructWithoutAnAgent(t *testing.T) {
	t.Parallel()
	p, _ := newConstruct(t)
	ledgertest.Set(t, p.ledger, "agents", p.Agent, "enabled", false)
	p.play(`
		= connect
		< {"type":"error","message":"*","code":"AGENT_INIT_FAILED"}
		closed 1011`)
}

// Eight messages may wait for the turn under way; whatever waits is answered in order.
func TestConstructQueues(t *testing.T) {
	t.Parallel()
	p, s := newConstruct(t)
	p.play(`
		= connect
		< {"type":"session_start","session_id":"my-session","resumed":false,"message_count":0}
		> {"type":"message","content":"wait door\nreply first"}
		<? {"type":"operator_status","phase":"*","detail":"*"}
		= the agent works`)
	for i := range 8 {
		p.play(fmt.Sprintf(`> {"type":"message","content":"reply %d"}`, i))
	}
	p.play(`
		> {"type":"message","content":"one too many"}
		<? {"type":"error","message":"*","code":"SESSION_BUSY"}`)
	close(s.gate("door"))
	p.play(`<? {"type":"done","full_response":"first"}`)
	for i := range 8 {
		p.play(fmt.Sprintf(`<? {"type":"done","full_response":"%d"}`, i))
	}
}

// What one node's operator began, another node's hears to its end.
func TestConstructOnTwoNodes(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	one, two := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f, s := ledgertest.Seed(t, one), newStage()
	first := node(t, one, f, widget.Limits{}, s.voiced(t, one), operated(f)).construct(s)
	second := node(t, two, f, widget.Limits{}, operated(f)).construct(s)
	first.play(`
		= connect
		<? {"type":"session_start","session_id":"my-session","resumed":false,"message_count":0}
		> {"type":"message","content":"wait door\ndelta He\nreply Hello"}
		= the agent works
		= leave`)
	second.play(`
		= connect
		< {"type":"session_start","session_id":"my-session","resumed":true,"message_count":1}
		> {"type":"message","content":"reply next"}`)
	time.AfterFunc(0, func() { close(s.gate("door")) })
	second.play(`
		<? {"type":"done","full_response":"Hello"}
		<? {"type":"done","full_response":"next"}`)
}
