package widget

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/handlers/dialect"
)

// exchange is a thread in which each question gets one answer before the next, as dialects of requests and responses have it. It
// joins what happens in the thread with what was asked over this connection; what the ledger says of a question ends it, so that
// it does not matter which node answered and which hints were lost.
type exchange struct {
	c      *socket
	org    domain.OrgID
	thread domain.ThreadID
	state  func(ctx context.Context, seq int64) (ledger.AnswerState, error)
	// closing is how an answered question ends, and unasked what somebody says of their own accord.
	closing func(q *question, a ledger.AnswerState) []dialect.Event
	unasked func(m domain.Message) []dialect.Event

	mu       sync.Mutex
	asked    *question        // under way; nil: none
	held     []domain.Message // what was said meanwhile
	answered map[int64]bool   // lines that were told as part of an answer and not heard yet
	over     domain.TurnID    // of the last answer: what is still heard of it comes too late
	heard    int64            // seq of the latest line
}

// question is one that waits for its answer.
type question struct {
	id      string // the client's
	seq     int64
	message domain.MessageID
	stream  bool          // pieces of the answer are wanted
	turn    domain.TurnID // the latest that pieces were told of
	told    string        // the pieces of that turn's answer so far, without its thoughts
	stopped bool          // the agent was heard to stop since
	ended   time.Time     // when the ledger was first seen to have the answer
	news    chan struct{} // has something in it when the ledger should be asked
	done    chan struct{} // closed with the answer
}

const (
	askAgain  = time.Second // about a question's answer, if no hint says when; doubling to askSeldom
	askSeldom = 5 * time.Second
	hearOut   = 500 * time.Millisecond // for what was said of an answer before it, at the longest
)

// attend follows the thread after seq. It returns once nothing of what happens from now on can be missed, pieces of an answer least of
// all, which come but once; told is what happens once the function that it returns is called.
func (x *exchange) attend(ctx context.Context, after int64) (tell func()) {
	x.heard = after
	attending, telling := make(chan struct{}), make(chan struct{})
	attended := sync.OnceFunc(func() { close(attending) })
	x.c.beside(func() error {
		defer attended()
		err := x.follow(ctx, after, func() {
			attended()
			select {
			case <-telling:
			case <-ctx.Done():
			}
		})
		switch {
		case err == nil || ctx.Err() != nil:
		case domain.KindOf(err) == domain.NotFound:
			x.vanished(ctx)
		default:
			x.c.logFailure(err)
			x.c.end(broken)
		}
		return nil
	})
	select {
	case <-attending:
	case <-time.After(commandWithin): // while the database is away the client must not be
	case <-ctx.Done():
	}
	return sync.OnceFunc(func() { close(telling) })
}

// follow tells the client what happens in the thread after seq, until ctx ends. Before each telling it calls ready.
func (x *exchange) follow(ctx context.Context, after int64, ready func()) error {
	for u, err := range x.c.s.relay.Follow(ctx, x.org, x.thread, after) {
		ready()
		switch {
		case err != nil:
			return err
		case u.Message != nil && u.Message.Author.Kind == domain.AuthorVisitor:
			x.mu.Lock()
			x.heard = u.Message.Seq
			x.mu.Unlock()
		case u.Message != nil:
			x.said(ctx, *u.Message)
		case u.Standing != nil:
			x.c.live.Store(true)
			x.news()
		case u.Hint != nil && u.Hint.Author.Kind == domain.AuthorAgent:
			x.hinted(ctx, u.Hint)
		}
	}
	return nil
}

// said tells of a line, unless it is part of an answer or may become one.
func (x *exchange) said(ctx context.Context, m domain.Message) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.heard = m.Seq
	switch {
	case x.answered[m.Seq]:
		delete(x.answered, m.Seq)
	case x.asked != nil:
		x.held = append(x.held, m)
		x.asked.look()
	default:
		x.tell(ctx, x.unasked(m))
	}
}

// hinted tells what shows an answer in the making.
func (x *exchange) hinted(ctx context.Context, h *relay.Hint) {
	x.mu.Lock()
	defer x.mu.Unlock()
	q := x.asked
	if q == nil || h.TurnID != "" && h.TurnID == x.over {
		return
	}
	switch {
	case h.Kind == relay.Typing:
		q.stopped = !h.On
		q.look()
	case !q.stream:
	case h.Kind == relay.Delta, h.Kind == relay.Thought:
		if q.turn != h.TurnID && q.turn != "" {
			x.tell(ctx, []dialect.Event{dialect.Restarted{RequestID: q.id}})
		}
		if q.turn != h.TurnID {
			q.turn, q.told = h.TurnID, ""
		}
		if h.Kind == relay.Delta {
			q.told += h.Content
		}
		x.tell(ctx, []dialect.Event{dialect.Token{RequestID: q.id, Content: h.Content, Thought: h.Kind == relay.Thought}})
	case h.Kind == relay.Tool:
		x.tell(ctx, tool(q.id, h.Content))
	}
}

// tool reads what a hint tells of a tool.
func tool(requestID, content string) []dialect.Event {
	var t relay.ToolUse
	if json.Unmarshal([]byte(content), &t) != nil {
		return nil
	}
	if t.Returned {
		return []dialect.Event{dialect.ToolReturned{RequestID: requestID, Name: t.Name, Failed: t.Failed, Result: t.Data}}
	}
	return []dialect.Event{dialect.ToolCalled{RequestID: requestID, Name: t.Name, Arguments: t.Data}}
}

func (x *exchange) news() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.asked != nil {
		x.asked.look()
	}
}

func (q *question) look() {
	select {
	case q.news <- struct{}{}:
	default:
	}
}

func (x *exchange) tell(ctx context.Context, es []dialect.Event) {
	for _, e := range es {
		x.c.push(ctx, e)
	}
}

var errAnswering = &domain.Error{Kind: domain.Conflict, Code: domain.CodeTurnInProgress, Msg: "an answer is still being written"}

// begin asks by store and, once that is stored, tells first and watches over the answer. Nothing of the answer is told before. It
// fails with Conflict (turn_in_progress) while another question is under way, and as store does.
func (x *exchange) begin(ctx context.Context, id string, stream bool, store func() (domain.Message, error), first ...dialect.Event) (*question, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.asked != nil {
		return nil, errAnswering
	}
	m, err := store()
	if err != nil {
		return nil, err
	}
	q := &question{id: id, seq: m.Seq, message: m.ID, stream: stream, news: make(chan struct{}, 1), done: make(chan struct{})}
	q.look()
	x.asked = q
	x.tell(ctx, first)
	x.c.beside(func() error { return x.watch(ctx, q) })
	return q, nil
}

// watch waits for a question's answer. Hints say when to look for it; when they are lost it looks now and then.
func (x *exchange) watch(ctx context.Context, q *question) error {
	again := askAgain
	next := time.NewTimer(again)
	defer next.Stop()
	alive := time.NewTicker(x.c.s.limits.AliveEvery)
	defer alive.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.done:
			return nil
		case <-alive.C:
			x.c.push(ctx, dialect.Alive{RequestID: q.id})
			continue
		case <-q.news:
			again = askAgain
		case <-next.C:
			again = min(2*again, askSeldom)
		}
		if soon := x.look(ctx, q); soon > 0 {
			next.Reset(soon)
		} else {
			next.Reset(again)
		}
	}
}

// look asks the ledger what has come of a question, and ends it if it has its answer and all that was said of it before was heard;
// else it returns when to look again, or 0. An outage passes: watch looks again.
func (x *exchange) look(ctx context.Context, q *question) (soon time.Duration) {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	a, err := x.state(within, q.seq)
	switch {
	case err == nil && a.Open:
		return 0
	case err != nil && domain.KindOf(err) != domain.NotFound:
		return 0
	case err != nil: // nothing is left of the thread
		a = ledger.AnswerState{Status: domain.DispatchSkipped, Skip: domain.SkipCancelled}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.asked != q {
		return 0
	}
	if q.ended.IsZero() {
		q.ended = time.Now()
	}
	if left := hearOut - time.Since(q.ended); left > 0 && !x.heardOut(q, a) {
		return left
	}
	x.close(ctx, q, a)
	return 0
}

// vanished ends what was asked, and the connection: nothing is left of the thread.
func (x *exchange) vanished(ctx context.Context) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.asked != nil {
		x.close(ctx, x.asked, ledger.AnswerState{Status: domain.DispatchSkipped, Skip: domain.SkipCancelled})
	}
	x.c.end(vanished)
}

// close tells how a question ends, and what was held for it. It is called under the lock.
func (x *exchange) close(ctx context.Context, q *question, a ledger.AnswerState) {
	x.asked, x.over = nil, a.Turn
	close(q.done)
	x.tell(ctx, x.closing(q, a))
	for _, m := range a.Messages {
		x.answered[m.Seq] = true
	}
	for _, m := range x.held {
		if x.answered[m.Seq] {
			delete(x.answered, m.Seq)
			continue
		}
		x.tell(ctx, x.unasked(m))
	}
	x.held = slices.Delete(x.held, 0, len(x.held))
}

// heardOut reports whether the pieces of an answer can all have been heard: they come before its messages, and before the agent stops.
// Nobody waits for those of an answer that was called off. It is called under the lock.
func (x *exchange) heardOut(q *question, a ledger.AnswerState) bool {
	switch {
	case a.Turn == "" || a.Skip == domain.SkipCancelled:
		return true
	case len(a.Messages) == 0:
		return q.stopped
	}
	return x.heard >= a.Messages[len(a.Messages)-1].Seq
}

// underWay is the question whose answer is being waited for, if any.
func (x *exchange) underWay() *question {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.asked
}
