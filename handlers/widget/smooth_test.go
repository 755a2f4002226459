package widget_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
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
	maps.Copy(p.does, stagehands("smooth", s, w.Fixture))
	p.does["the agent tells the thread's id"] = func(p *player) {
		thread, err := w.ledger.ThreadOfConversation(fmt.Sprint(p.names["conversation"]))
		if _, found := w.ledger.Thread(p.t.Context(), w.Org, thread); err != nil || found != nil {
			p.t.Fatal(err, found)
		}
		p.names["thread"] = string(thread)
	}
	p.does["the cursor"] = func(p *player) { // of the page that ends with the other conversation
		thread, err := w.ledger.ThreadOfConversation(fmt.Sprint(p.names["other"]))
		t, failed := w.ledger.Thread(p.t.Context(), w.Org, thread)
		if err != nil || failed != nil {
			p.t.Fatal(err, failed)
		}
		p.names["cursor"] = base64.RawURLEncoding.EncodeToString([]byte(t.LastMessageAt.UTC().Format(time.RFC3339Nano) + "|" + fmt.Sprint(p.names["other"])))
	}
	p.does["when it was asked"] = func(p *player) {
		thread, err := w.ledger.ThreadOfConversation(fmt.Sprint(p.names["conversation"]))
		ms, failed := w.ledger.MessagesBefore(p.t.Context(), w.Org, thread, 2, 1)
		if err != nil || failed != nil || len(ms) != 1 {
			p.t.Fatal(err, failed, ms)
		}
		const wire = "2006-01-02T15:04:05.000Z07:00"
		p.names["asked"] = ms[0].CreatedAt.UTC().Format(wire)
		p.names["later"] = ms[0].CreatedAt.Add(time.Millisecond).In(time.FixedZone("", 3600)).Format(wire)
	}
	p.does["sign"] = func(p *player) {
		now := time.Now().Unix()
		p.names["at"], p.names["signature"] = now, domain.SignIdentity(identitySecret, "user-1", now)
	}
	return p
}

// One visitor's conversations, and what becomes of them when their site vouches for the visitor.
func TestSmoothConversations(t *testing.T) {
	t.Parallel()
	p, _ := newSmooth(t, widget.Limits{})
	p.playFile("smooth_conversations.txt")
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
