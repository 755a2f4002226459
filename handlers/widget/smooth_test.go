package widget_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

const identitySecret = "a secret for identities"

func newSmooth(t *testing.T, limits widget.Limits) (*player, *stage) {
	t.Helper()
	l, s := ledgertest.New(t), newStage()
	f := ledgertest.Seed(t, l)
	ledgertest.Set(t, l, "agents", f.Agent, "kind", "websocket") // one that may name sources of its own
	if err := l.SetIdentitySecret(t.Context(), f.Org, f.Widget, identitySecret, time.Time{}); err != nil {
		t.Fatal(err)
	}
	return node(t, l, f, limits, s.voiced(t, l)).smooth(s), s
}

func (w *world) smooth(s *stage) *player {
	p := w.player("/compat/smooth/ws", websocket.DialOptions{})
	p.does["let it go on"] = func(*player) { close(s.gate("door")) }
	p.does["the turn stops"] = func(p *player) {
		select {
		case <-s.stopped:
		case <-time.After(patience):
			p.t.Fatal("the agent goes on for nobody")
		}
	}
	p.does["a person writes"] = func(p *player) {
		thread, _ := w.ledger.ThreadOfConversation(fmt.Sprint(p.names["conversation"]))
		_, _, err := w.chat.Reply(p.t.Context(), w.User, thread, string(ledger.NewID[domain.MessageID]()), "Anna here")
		if err != nil {
			p.t.Fatal(err)
		}
	}
	p.does["the agent tells the thread's id"] = func(p *player) {
		thread, err := w.ledger.ThreadOfConversation(fmt.Sprint(p.names["conversation"]))
		if _, found := w.ledger.Thread(p.t.Context(), w.Org, thread); err != nil || found != nil {
			p.t.Fatal(err, found)
		}
		p.names["thread"] = string(thread)
	}
	p.does["sign"] = func(p *player) {
		now := time.Now().Unix()
		p.names["at"], p.names["signature"] = now, domain.SignIdentity(identitySecret, "user-1", now)
	}
	p.does["no agent"] = func(p *player) { ledgertest.Set(p.t, w.ledger, "agents", w.Agent, "enabled", false) }
	p.does["only one origin"] = func(p *player) {
		ledgertest.Set(p.t, w.ledger, "widgets", w.Widget, "allowed_origins", "{https://other.example}")
	}
	p.does["the reply is stored"] = func(p *player) {
		eventually(p.t, "the reply is stored", func() bool {
			var n int
			err := w.ledger.NewRaw(`SELECT count(*) FROM messages WHERE content = 'done' AND author_kind = 'agent'`).Scan(context.Background(), &n)
			return err == nil && n == 1
		})
	}
	p.does["the agent works"] = func(p *player) {
		eventually(p.t, "the agent works", func() bool {
			var n int
			err := w.ledger.NewRaw(`SELECT count(*) FROM dispatches WHERE status = 'running'`).Scan(context.Background(), &n)
			return err == nil && n == 1
		})
	}
	return p
}

func TestSmooth(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"validation", "turn", "stop", "person", "conversations", "away"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := newSmooth(t, widget.Limits{})
			p.names["visitor"], p.names["agentname"] = string(p.Contact), "Ada"
			p.playFile("smooth_" + name + ".txt")
		})
	}
}

// A question that was asked on one node is answered, cancelled and found again on another.
func TestSmoothOnTwoNodes(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	one, two := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f, s := ledgertest.Seed(t, one), newStage()
	answering := node(t, one, f, widget.Limits{}, s.voiced(t, one))
	p := node(t, two, f, widget.Limits{}).smooth(s)
	p.play(`
		= connect
		> {"action":"create_conversation_session","requestId":"r1","agentId":"$widget"}
		< {"type":"immediate_response","requestId":"r1","timestamp":"*ms","status":200,"message":"Session created","data":{"sessionId":"$session","conversationId":"$conversation","agentId":"$widget","agentName":"Ada","userParticipantId":"$user","agentParticipantId":"$agent"}}
		> {"action":"send_message","requestId":"r2","sessionId":"$session","message":"delta Hel\ndelta lo\nreply Hello"}
		< {"type":"immediate_response","requestId":"r2","timestamp":"*ms","status":202,"message":"Processing your request...","data":{}}
		<? {"type":"eventual_response","requestId":"r2","timestamp":"*ms","status":200,"data":"*"}
		> {"action":"send_message","requestId":"r3","sessionId":"$session","message":"wait door\nreply never"}
		< {"type":"immediate_response","requestId":"r3","timestamp":"*ms","status":202,"message":"Processing your request...","data":{}}
		= the agent works
		= leave`)
	other := answering.smooth(s)
	other.names = p.names
	other.play(`
		= connect
		> {"action":"send_message","requestId":"r4","sessionId":"$session","message":"reply too early"}
		< {"type":"error","requestId":"r4","timestamp":"*ms","error":{"code":"TURN_IN_PROGRESS","message":"*"},"data":{"requestId":"r4","error":{"code":"TURN_IN_PROGRESS","message":"*"}}}
		= leave`)
	p.play(`
		= connect
		> {"action":"cancel","requestId":"r3","sessionId":"$session"}
		< {"type":"cancelled","requestId":"r3","timestamp":"*ms","status":499,"data":{"requestId":"r3","status":499}}
		= the turn stops
		> {"action":"send_message","requestId":"r5","sessionId":"$session","message":"reply again","stream":false}
		< {"type":"immediate_response","requestId":"r5","timestamp":"*ms","status":202,"message":"Processing your request...","data":{}}
		< {"type":"eventual_response","requestId":"r5","timestamp":"*ms","status":200,"data":"*"}`)
}

// Many sockets that ask at once in one session get one turn and one refusal each.
func TestSmoothAsksOneAtATime(t *testing.T) {
	t.Parallel()
	p, s := newSmooth(t, widget.Limits{})
	p.play(`
		= connect
		> {"action":"create_conversation_session","requestId":"r1","agentId":"$widget"}
		<? {"type":"immediate_response","requestId":"r1","timestamp":"*ms","status":200,"message":"*","data":{"sessionId":"$session","conversationId":"$conversation","agentId":"*","agentName":"*","userParticipantId":"*","agentParticipantId":"*"}}`)
	const sockets = 5
	answers := make(chan string, sockets)
	for i := range sockets {
		q := p.smooth(s)
		q.names = p.names
		q.connect()
		q.send("ask", websocket.MessageText, q.fill(fmt.Sprintf(`{"action":"send_message","requestId":"q%d","sessionId":"$session","message":"wait door\nreply %d"}`, i, i)))
		go func() {
			b, err := q.read()
			if err != nil {
				b = []byte(err.Error())
			}
			answers <- string(b)
		}()
	}
	accepted, busy := 0, 0
	for range sockets {
		switch a := <-answers; {
		case strings.Contains(a, `"status":202`):
			accepted++
		case strings.Contains(a, "TURN_IN_PROGRESS"):
			busy++
		default:
			t.Error(a)
		}
	}
	if accepted != 1 || busy != sockets-1 {
		t.Errorf("%d accepted, %d refused", accepted, busy)
	}
	close(s.gate("door"))
}

func TestSmoothLimits(t *testing.T) {
	t.Parallel()
	p, _ := newSmooth(t, widget.Limits{Sessions: 2, Frames: 1})
	p.play(`
		= connect
		> {"action":"create_conversation_session","requestId":"r1","agentId":"$widget"}
		<? {"type":"immediate_response","requestId":"r1","timestamp":"*ms","status":200,"message":"*","data":"*"}
		= leave
		= connect
		> {"action":"create_conversation_session","requestId":"r2","agentId":"$widget"}
		<? {"type":"immediate_response","requestId":"r2","timestamp":"*ms","status":200,"message":"*","data":"*"}
		> {"action":"create_conversation_session","requestId":"r3","agentId":"$widget"}
		< {"type":"error","requestId":"r3","timestamp":"*ms","error":{"code":"RATE_LIMITED","message":"*"},"data":{"requestId":"r3","error":{"code":"RATE_LIMITED","message":"*"}}}
		> {"action":"ping","requestId":"r4"}
		> {"action":"ping","requestId":"r5"}
		<? {"type":"error","requestId":"*","timestamp":"*ms","error":{"code":"RATE_LIMITED","message":"*"},"data":{"requestId":"*","error":{"code":"RATE_LIMITED","message":"*"}}}`)
	if a := p.ask(http.MethodGet, "/ws", ""); a.status != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: %d", a.status)
	}
}
