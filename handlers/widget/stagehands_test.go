package widget_test

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// stagehands are the words of scenarios: what happens on the other side of a client, or before it comes.
func stagehands(dialect string, s *stage, rival ledgertest.Fixture) map[string]func(*player) {
	return map[string]func(*player){
		"begin":               func(p *player) { p.playFile("conformance/" + dialect + "/begin.txt") },
		"connect elsewhere":   func(p *player) { p.world = p.nodes[1-p.here()]; p.connect() },
		"open a session":      func(p *player) { p.openSession() },
		"drain":               (*player).drain,
		"a rival":             func(p *player) { p.meet(rival) },
		"somebody else":       func(p *player) { p.names["token"] = "rival" },
		"the session's token": func(p *player) { p.names["known"] = p.names["session"] },
		"nobody":              func(p *player) { p.names["token"] = "bad" },
		"the operator":        func(p *player) { p.names["token"] = "good" },
		"at the rival's":      func(p *player) { p.names["widget"] = rival.Key },
		"at nobody's":         func(p *player) { p.names["widget"] = "wid_nobodys" },
		"a WebSocket ping":    (*player).pings,
		"let it go on":        func(*player) { close(s.gate("door")) },
		"open the window":     func(*player) { close(s.gate("window")) },
		"the turn stops": func(p *player) {
			select {
			case <-s.stopped:
			case <-time.After(patience):
				p.t.Fatal("the agent goes on for nobody")
			}
		},
		"the agent works": func(p *player) {
			eventually(p.t, "the agent waits at the door", func() bool { return s.waits("door", 0) == 1 })
		},
		"the agent is done": func(p *player) {
			p.awaits("SELECT count(*) = 0 FROM dispatches WHERE status IN ('running', 'queued')")
		},
		"the reply is stored": func(p *player) {
			p.awaits("SELECT count(*) = 1 FROM messages WHERE content = 'done' AND author_kind = 'agent'")
		},
		"the team sees two visitors": func(p *player) {
			p.awaits("SELECT count(DISTINCT contact_id) = 2 FROM threads WHERE last_seq > 0")
		},
		"a person takes over": func(p *player) { p.person((*chat.Service).TakeOver) },
		"a person closes":     func(p *player) { p.person((*chat.Service).Close) },
		"a person hands back": func(p *player) { p.person((*chat.Service).HandBack) },
		"a person writes": func(p *player) {
			_, _, err := p.chat.Reply(p.t.Context(), p.User, p.latest(), string(ledger.NewID[domain.MessageID]()), "Anna here")
			if err != nil {
				p.t.Fatal(err)
			}
		},
		"no agent":       func(p *player) { ledgertest.Set(p.t, p.ledger, "agents", p.Agent, "enabled", false) },
		"one line a day": func(p *player) { ledgertest.Set(p.t, p.ledger, "widgets", p.Widget, "daily_cap", 1) },
		"only one origin": func(p *player) {
			ledgertest.Set(p.t, p.ledger, "widgets", p.Widget, "allowed_origins", "{https://other.example}")
		},
	}
}

// awaits waits until a query answers true.
func (p *player) awaits(query string) {
	p.t.Helper()
	eventually(p.t, query, func() bool {
		var yes bool
		return p.ledger.NewRaw(query).Scan(context.Background(), &yes) == nil && yes
	})
}

// openSession is what a page does before it opens a socket.
func (p *player) openSession() {
	p.t.Helper()
	v := p.visitor()
	p.names["token"], p.names["session"] = v.token, string(v.id)
}

// pings wants a pong to a ping of WebSocket's own. The connection is of no more use then.
func (p *player) pings() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	p.conn.CloseRead(ctx) // pongs are read while frames are
	if err := p.conn.Ping(ctx); err != nil {
		p.t.Fatal(err)
	}
}

// latest is the thread in which somebody wrote last.
func (p *player) latest() (id domain.ThreadID) {
	p.t.Helper()
	err := p.ledger.NewRaw("SELECT id FROM threads WHERE org_id = ? AND last_seq > 0 ORDER BY last_message_at DESC LIMIT 1", p.Org).Scan(p.t.Context(), &id)
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

func (p *player) person(does func(*chat.Service, context.Context, domain.User, domain.ThreadID) (domain.Thread, error)) {
	p.t.Helper()
	if _, err := does(p.chat, p.t.Context(), p.User, p.latest()); err != nil {
		p.t.Fatal(err)
	}
}

// drain stops the node that the client is connected to. It returns at once: a node waits for its clients.
func (p *player) drain() {
	at, stopped := p.world, make(chan struct{})
	go func() {
		defer close(stopped)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		at.surface.Shutdown(ctx)
	}()
	p.t.Cleanup(func() { <-stopped })
}

// meet lets another organisation have a visitor who says something, and takes note of what that visitor holds.
func (p *player) meet(rival ledgertest.Fixture) {
	p.t.Helper()
	ctx := p.t.Context()
	p.names["rivalkey"] = rival.Key
	wid, err := p.chat.Widget(ctx, rival.Key, origin, false)
	if err != nil {
		p.t.Fatal(err)
	}
	_, token, _, err := p.chat.Arrive(ctx, wid, chat.Arrival{})
	if err != nil {
		p.t.Fatal(err)
	}
	v, session, err := p.chat.Converse(ctx, wid, chat.Conversing{AskedFor: rival.Key})
	if err != nil {
		p.t.Fatal(err)
	}
	conversation, err := p.chat.ConversationID(v.Thread.ID)
	if err != nil {
		p.t.Fatal(err)
	}
	p.names["rivaltoken"], p.names["rivalsession"], p.names["rivalconversation"] = token, session, conversation
	p.names["rivalagent"] = fmt.Sprint(rival.Agent)
	o := chat.Operator{OrgID: rival.Org, ExternalID: "parley:user:2", Name: "Rita"}
	if _, _, err := p.chat.Operates(ctx, o, "my-session", "", "Theirs"); err != nil {
		p.t.Fatal(err)
	}
}
