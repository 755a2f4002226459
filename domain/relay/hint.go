package relay

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
)

// HintKind says what a hint is about.
type HintKind string

const (
	Typing  HintKind = "typing"  // somebody has begun or stopped to write
	Delta   HintKind = "delta"   // a piece of a reply that is still being written
	Thought HintKind = "thought" // a piece of the thoughts behind it
	Tool    HintKind = "tool"    // an agent uses a tool, or has its result: Content is a ToolUse
)

// Hint is worth showing now and not worth keeping.
type Hint struct {
	Thread  domain.ThreadID `json:"t"`
	Kind    HintKind        `json:"k"`
	Author  domain.Author   `json:"a"`
	On      bool            `json:"o,omitempty"` // typing
	TurnID  domain.TurnID   `json:"u,omitempty"` // of all but typing
	Index   int             `json:"i,omitempty"` // delta: counts from 0 within the turn
	Content string          `json:"c,omitempty"` // delta
}

// ToolUse is the content of a Tool hint.
type ToolUse struct {
	Name     string          `json:"n"`
	Returned bool            `json:"r,omitempty"` // Data is the result; else the arguments
	Failed   bool            `json:"f,omitempty"`
	Data     json.RawMessage `json:"d,omitempty"`
}

// growth says that a thread has messages up to Seq, or that it changed hands or was read at that length.
type growth struct {
	Org    domain.OrgID    `json:"o"`
	Thread domain.ThreadID `json:"t"`
	Seq    int64           `json:"s"`
}

// envelope is what one notification carries.
type envelope struct {
	Node    string              `json:"n"`
	Grown   []growth            `json:"g,omitempty"`
	Hints   []Hint              `json:"h,omitempty"`
	Stopped []domain.DispatchID `json:"x,omitempty"` // their turns run for nothing
	Due     int64               `json:"d,omitempty"` // a dispatch wants a worker in so many milliseconds, at least 1: nodes' clocks differ
}

// payloadLimit keeps an encoded envelope under the 8000 bytes a notification may have.
const payloadLimit = 7000

// outbox collects what other nodes are to hear. Growths of one thread merge; hints beyond hintLimit are dropped.
type outbox struct {
	mu      sync.Mutex
	growths map[domain.ThreadID]growth
	hints   []Hint
	stops   []domain.DispatchID
	due     time.Time
	filled  chan struct{}
}

const hintLimit = 1024

func newOutbox() *outbox {
	return &outbox{growths: map[domain.ThreadID]growth{}, filled: make(chan struct{}, 1)}
}

func (o *outbox) put(f func()) {
	o.mu.Lock()
	f()
	o.mu.Unlock()
	select {
	case o.filled <- struct{}{}:
	default:
	}
}

func (o *outbox) grown(g growth) {
	o.put(func() {
		g.Seq = max(g.Seq, o.growths[g.Thread].Seq)
		o.growths[g.Thread] = g
	})
}

func (o *outbox) hint(h Hint) {
	o.put(func() {
		if len(o.hints) < hintLimit {
			o.hints = append(o.hints, h)
		}
	})
}

func (o *outbox) stopped(id domain.DispatchID) { o.put(func() { o.stops = append(o.stops, id) }) }

func (o *outbox) workDue(at time.Time) {
	o.put(func() {
		if o.due.IsZero() || at.Before(o.due) {
			o.due = at
		}
	})
}

// take empties the outbox into payloads.
func (o *outbox) take(node string) []string {
	o.mu.Lock()
	growths, hints, stops, due := o.growths, o.hints, o.stops, o.due
	o.growths, o.hints, o.stops, o.due = map[domain.ThreadID]growth{}, nil, nil, time.Time{}
	o.mu.Unlock()

	var payloads []string
	e := envelope{Node: node}
	size := 0
	flush := func() {
		if len(e.Grown) == 0 && len(e.Hints) == 0 && len(e.Stopped) == 0 && e.Due == 0 {
			return
		}
		b, _ := json.Marshal(e) // strings and numbers only: cannot fail
		payloads = append(payloads, string(b))
		e, size = envelope{Node: node}, 0
	}
	fit := func(n int) {
		if size+n > payloadLimit {
			flush()
		}
		size += n
	}
	if !due.IsZero() {
		e.Due = max(1, time.Until(due).Milliseconds())
	}
	for _, id := range stops {
		fit(40)
		e.Stopped = append(e.Stopped, id)
	}
	for _, g := range growths {
		fit(120)
		e.Grown = append(e.Grown, g)
	}
	for _, h := range hints {
		b, _ := json.Marshal(h)
		if len(b) > payloadLimit {
			continue // a hint may be lost, and the message it announces comes whole
		}
		fit(len(b) + 1)
		e.Hints = append(e.Hints, h)
	}
	flush()
	return payloads
}
