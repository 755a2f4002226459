package widget_test

import (
	"context"
	"maps"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// operated lets "good" be an operator's token, and "rival" that of an operator of another organisation, if there is one.
func operated(f ledgertest.Fixture, rival ...ledgertest.Fixture) func(*widget.Deps) {
	return func(d *widget.Deps) {
		d.Operator = func(_ context.Context, token string, _ bool) (chat.Operator, error) {
			switch {
			case token == "good":
				return chat.Operator{OrgID: f.Org, ExternalID: "parley:user:1", Name: "Otto"}, nil
			case token == "rival" && len(rival) > 0:
				return chat.Operator{OrgID: rival[0].Org, ExternalID: "parley:user:2", Name: "Rita"}, nil
			}
			return chat.Operator{}, &domain.Error{Kind: domain.Unauthenticated, Msg: "no"}
		}
	}
}

// Who waits for a turn for too long is told so, and the one that runs goes on.
func TestConstructWaitsForALimitedTime(t *testing.T) {
	t.Parallel()
	l, s := ledgertest.New(t), newStage()
	f := ledgertest.Seed(t, l)
	p := node(t, l, f, widget.Limits{WaitForTurn: 50 * time.Millisecond}, s.voiced(t, l), operated(f)).
		player("/ws/chat?session_id=my-session&token=good", websocket.DialOptions{})
	maps.Copy(p.does, stagehands("construct", s, f))
	p.play(`
		= connect
		< {"type":"session_start","session_id":"my-session","resumed":false,"message_count":0}
		> {"type":"message","content":"wait door\nreply first"}
		< {"type":"operator_status","phase":"started","detail":"*"}
		= the agent works
		> {"type":"message","content":"reply never"}
		< {"type":"error","message":"*","code":"SESSION_BUSY"}
		= let it go on
		< {"type":"chunk_reset"}
		< {"type":"done","full_response":"first"}`)
}

// Whoever waits for an answer in a session that somebody deletes is told so, whichever hears of it first, and may come back to a new one.
func TestConstructSessionVanishes(t *testing.T) {
	t.Parallel()
	l, s := ledgertest.New(t), newStage()
	f := ledgertest.Seed(t, l)
	p := node(t, l, f, widget.Limits{}, s.voiced(t, l), operated(f)).player("/ws/chat?session_id=my-session&token=good", websocket.DialOptions{})
	maps.Copy(p.does, stagehands("construct", s, f))
	p.does["another node deletes the session"] = func(p *player) {
		if _, err := l.NewRaw(`WITH gone AS (DELETE FROM threads WHERE channel = 'construct' RETURNING org_id, id)
SELECT pg_notify('parley', json_build_object('n', 'another', 'g', json_build_array(json_build_object('o', org_id, 't', id, 's', 100)))::text) FROM gone`).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	p.play(`
		= connect
		< {"type":"session_start","session_id":"my-session","resumed":false,"message_count":0}
		> {"type":"message","content":"wait door\nreply never"}
		< {"type":"operator_status","phase":"started","detail":"*"}
		= the agent works
		= another node deletes the session
		< {"type":"error","message":"*","code":"AGENT_ERROR"}
		closed 1000 the conversation was deleted
		= connect
		< {"type":"session_start","session_id":"my-session","resumed":false,"message_count":0}`)
	close(s.gate("door"))
}

func TestConstructTokens(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	p := node(t, l, f, widget.Limits{}, operated(f))
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

// A token that has run out, or was taken back, opens nothing any more: not for the next message, and not to go on listening.
func TestConstructTokenEnds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		look    time.Duration
		kind    domain.Kind
		message bool
		ended   bool
	}{
		{"the next message is not taken", time.Hour, domain.Unauthenticated, true, true},
		{"nor is anything told", 10 * time.Millisecond, domain.Unauthenticated, false, true},
		{"one that no longer reaches so far", time.Hour, domain.Forbidden, true, true},
		{"an outage ends nobody", 10 * time.Millisecond, domain.Unavailable, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, s := ledgertest.New(t), newStage()
			f := ledgertest.Seed(t, l)
			var over atomic.Bool
			p := node(t, l, f, widget.Limits{LookEvery: tt.look}, s.voiced(t, l), operated(f), func(d *widget.Deps) {
				good := d.Operator
				d.Operator = func(ctx context.Context, token string, used bool) (chat.Operator, error) {
					if over.Load() {
						return chat.Operator{}, &domain.Error{Kind: tt.kind, Msg: "no"}
					}
					return good(ctx, token, used)
				}
			})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			c, _, err := websocket.Dial(ctx, p.url+"/ws/chat?token=good", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
			if _, _, err = c.Read(ctx); err != nil {
				t.Fatal(err)
			}
			over.Store(true)
			if tt.message {
				_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"message","content":"reply hello"}`))
			}
			_, frame, err := c.Read(ctx)
			if tt.ended && websocket.CloseStatus(err) != websocket.StatusPolicyViolation || !tt.ended && err != nil {
				t.Errorf("%s, %v", frame, err)
			}
		})
	}
}

// That a socket is open is no use of the token with which it was opened; saying something is.
func TestConstructLooksWithoutUsing(t *testing.T) {
	t.Parallel()
	l, s := ledgertest.New(t), newStage()
	f := ledgertest.Seed(t, l)
	var uses, looks atomic.Int32
	p := node(t, l, f, widget.Limits{LookEvery: 5 * time.Millisecond}, s.voiced(t, l), operated(f), func(d *widget.Deps) {
		good := d.Operator
		d.Operator = func(ctx context.Context, token string, used bool) (chat.Operator, error) {
			if used {
				uses.Add(1)
			} else {
				looks.Add(1)
			}
			return good(ctx, token, used)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, p.url+"/ws/chat?token=good", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	eventually(t, "it looks", func() bool { return looks.Load() > 3 })
	if n := uses.Load(); n != 1 {
		t.Errorf("an open socket used its token %d times, want once to open it", n)
	}
	if err := c.Write(ctx, websocket.MessageText, []byte(`{"type":"message","content":"reply hello"}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a message is a use", func() bool { return uses.Load() == 2 })
}
