package widget

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/dialect"
)

// constructProtocol is the subprotocol of Construct's clients.
const constructProtocol = "construct.v1"

// Unauthorized is what Construct's clients are told who bring no good token.
const Unauthorized = "Unauthorized — provide Authorization header, Sec-WebSocket-Protocol bearer, or ?token= query param"

// Operator finds out for whom a request of a Construct client is made. It fails with Unauthenticated.
func (s *Surface) Operator(r *http.Request) (chat.Operator, error) {
	if s.operator == nil {
		return chat.Operator{}, &domain.Error{Kind: domain.Unauthenticated, Msg: Unauthorized}
	}
	return s.operator(r.Context(), token(r), true)
}

// construct serves Construct's clients: people and programs of an organisation who talk to its agents themselves.
func (s *Surface) construct(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Operator(r)
	if err != nil && domain.KindOf(err) == domain.Unauthenticated {
		plainly(w, http.StatusUnauthorized, Unauthorized)
		return nil
	}
	if err != nil {
		return err
	}
	return s.serve(w, r, call{
		dialect: dialect.Construct{Origin: s.ownOrigin(r)}, protocol: constructProtocol, guest: guest{address: address(r), widget: "org:" + string(o.OrgID)},
		log: []any{"dialect", "construct", "organisation", o.OrgID},
		talk: func(c *socket) talk {
			return &constructTalk{socket: c, r: outliving(r), operator: o, turns: make(chan struct{}, 1)}
		},
	})
}

const (
	mostWaiting = 8 // messages of a session that wait for the turns before them
	busyLook    = 250 * time.Millisecond
)

// noAgent ends a connection for which there is no agent.
var noAgent = farewell{code: websocket.StatusInternalError, reason: "Agent initialization failed", bye: &dialect.Bye{}}

// noToken ends a connection whose token has run out or was taken back meanwhile.
var noToken = farewell{code: websocket.StatusPolicyViolation, reason: "Unauthorized"}

// constructTalk is an operator in one session. Turns run one after another, in the order in which their messages came.
type constructTalk struct {
	*socket
	r        *http.Request
	x        *exchange
	operator chat.Operator
	thread   domain.Thread
	heard    bool // a first frame has come

	mu      sync.Mutex
	waiting []*waiter
	turns   chan struct{} // has something in it while somebody may wait
}

// waiter is a message that waits for its turn.
type waiter struct {
	content string
	late    time.Time
}

// begin names the session and tells the rest of a turn that is under way.
func (c *constructTalk) begin(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	q := c.r.URL.Query()
	id, thread, err := c.s.chat.Operates(within, c.operator, q.Get("session_id"), q.Get("agent"), q.Get("name"))
	var open int64
	if err == nil {
		open, err = c.s.chat.OpenTurn(within, thread)
	}
	if err != nil {
		c.logFailure(err)
		c.push(ctx, dialect.Failure{Name: dialect.ConstructAgentInit, Message: "Failed to initialise agent: " + failure(err).Message})
		c.end(noAgent)
		return nil
	}
	c.thread = thread
	c.x = &exchange{
		c: c.socket, org: thread.OrgID, thread: thread.ID, answered: map[int64]bool{}, closing: constructClosing, unasked: constructUnasked,
		state: func(ctx context.Context, seq int64) (ledger.AnswerState, error) {
			return c.s.chat.AnswerIn(ctx, thread, seq)
		},
	}
	tell := c.x.attend(ctx, max(open, thread.LastSeq))
	defer tell()
	c.push(ctx, dialect.Start{SessionID: id, Messages: thread.LastSeq, Name: thread.Title})
	if open > 0 {
		_, _ = c.x.begin(ctx, "", true, func() (domain.Message, error) { return domain.Message{Seq: open}, nil })
	}
	c.beside(func() error { return c.run(ctx) })
	c.beside(func() error { return c.watch(ctx) })
	return nil
}

// watch ends the connection soon after its token has.
func (c *constructTalk) watch(ctx context.Context) error {
	look := time.NewTicker(c.s.limits.LookEvery)
	defer look.Stop()
	for c.admitted(ctx, false) {
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// admitted reports whether the token with which the connection began still opens it, and ends the connection if not. While the database
// is away nobody is sent away. Only who says something uses it.
func (c *constructTalk) admitted(ctx context.Context, used bool) bool {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	_, err := c.s.operator(within, token(c.r), used)
	if k := domain.KindOf(err); err == nil || k != domain.Unauthenticated && k != domain.Forbidden {
		return true
	}
	c.end(noToken)
	return false
}

func (c *constructTalk) refuse(err *dialect.Refused) error {
	c.heard = true
	return err
}

func (c *constructTalk) take(ctx context.Context, cmd dialect.Command) error {
	first := !c.heard
	c.heard = true
	switch cmd := cmd.(type) {
	case dialect.Connect:
		if !first {
			return dialect.UnknownConstruct("connect")
		}
		c.push(ctx, dialect.Connected{})
	case dialect.Ask:
		if !c.admitted(ctx, true) {
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.waiting) >= mostWaiting {
			return errBusy
		}
		c.waiting = append(c.waiting, &waiter{cmd.Content, time.Now().Add(c.s.limits.WaitForTurn)})
		select {
		case c.turns <- struct{}{}:
		default:
		}
	}
	return nil
}

var errBusy = &domain.Error{Kind: domain.Throttled, Code: domain.CodeTurnInProgress, Msg: "the session is busy with earlier messages, please wait a moment"}

// run lets one message after another have its turn.
func (c *constructTalk) run(ctx context.Context) error {
	look := time.NewTicker(busyLook)
	defer look.Stop()
	for {
		c.refuseLate(ctx)
		q := c.x.underWay()
		if q == nil {
			if q = c.turn(ctx); q == nil && c.nobody() {
				select {
				case <-c.turns:
					continue
				case <-ctx.Done():
					return nil
				}
			}
		}
		var done chan struct{} // nil while somebody else's turn runs: look again
		if q != nil {
			done = q.done
		}
		select {
		case <-done:
		case <-look.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (c *constructTalk) nobody() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) == 0
}

// refuseLate sends away who has waited too long.
func (c *constructTalk) refuseLate(ctx context.Context) {
	c.mu.Lock()
	late := 0
	for late < len(c.waiting) && time.Now().After(c.waiting[late].late) {
		late++
	}
	c.waiting = c.waiting[late:]
	c.mu.Unlock()
	for range late {
		c.push(ctx, failure(errBusy))
	}
}

// turn asks the first question that waits; nil when there is none, or another connection's is under way.
func (c *constructTalk) turn(ctx context.Context) *question {
	c.mu.Lock()
	if len(c.waiting) == 0 {
		c.mu.Unlock()
		return nil
	}
	first := c.waiting[0]
	c.mu.Unlock()
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	q, err := c.x.begin(ctx, "", true, func() (domain.Message, error) {
		return c.s.chat.OperatorAsks(within, c.thread, first.content)
	}, dialect.Accepted{})
	if domain.CodeOf(err) == domain.CodeTurnInProgress && err != nil {
		return nil
	}
	c.mu.Lock()
	c.waiting = c.waiting[1:]
	c.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		c.logFailure(err)
		c.push(ctx, failure(err))
	}
	return q
}

// constructFaults is what this dialect calls whose fault it is that a turn failed.
var constructFaults = map[domain.Fault]string{
	"": dialect.ConstructAgentError, domain.FaultAccess: dialect.ConstructAccess, domain.FaultProvider: dialect.ConstructProvider,
}

// constructClosing says what came of a message.
func constructClosing(_ *question, a ledger.AnswerState) []dialect.Event {
	agents, _ := split(a.Messages)
	if a.Status == domain.DispatchDead && len(agents) == 0 {
		words := a.Handoff
		if words == "" {
			words = "the agent could not answer"
		}
		return []dialect.Event{dialect.Failure{Name: constructFaults[a.Fault], Message: words}}
	}
	if a.Status == domain.DispatchSkipped && len(agents) == 0 {
		return []dialect.Event{dialect.Failure{Name: dialect.ConstructAgentError, Message: "the answer was stopped"}}
	}
	return []dialect.Event{dialect.Restarted{}, dialect.Answer{Messages: agents}}
}

// constructUnasked tells of what somebody says of their own accord.
func constructUnasked(m domain.Message) []dialect.Event {
	return []dialect.Event{dialect.Line{Message: m}}
}
