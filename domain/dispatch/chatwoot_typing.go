package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
)

// ChatwootTyping shows in Chatwoot's conversations that an agent is writing. It is a hint as in our own transports: it never delays a
// turn and may fail, but what was switched on is switched off again, and that is tried for a while.
type ChatwootTyping struct {
	chatwoot *Chatwoot
	log      *slog.Logger
	slots    chan struct{} // one token a request on its way
	closing  chan struct{} // closed: nothing is switched on any more
	sending  sync.WaitGroup

	mu       sync.Mutex
	threads  map[domain.ThreadID]*sign
	finished bool
}

// sign is the state of one conversation's sign.
type sign struct {
	wanted []bool // not asked for yet, the next first; at most one on and one off
	last   bool   // the last of wanted, or what was asked for before
}

const (
	typingMost   = 8                      // requests on their way at once
	typingWithin = 5 * time.Second        // for one
	typingTries  = 8                      // to switch it off
	typingPause  = 250 * time.Millisecond // doubling
	typingHurry  = 50 * time.Millisecond  // instead, when the program ends
)

// NewChatwootTyping makes one. Close must be called.
func NewChatwootTyping(c *Chatwoot, log *slog.Logger) *ChatwootTyping {
	return &ChatwootTyping{chatwoot: c, log: log, slots: make(chan struct{}, typingMost), closing: make(chan struct{}), threads: map[domain.ThreadID]*sign{}}
}

// Set says whether an agent writes in a thread, of whichever channel. It never blocks.
func (c *ChatwootTyping) Set(org domain.OrgID, thread domain.ThreadID, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, busy := c.threads[thread]
	if c.finished || on && busy && s.last {
		return
	}
	if busy && len(s.wanted) > 0 && s.wanted[len(s.wanted)-1] != on && len(s.wanted) > 1 {
		s.wanted = s.wanted[:len(s.wanted)-1] // off and on again at once: it stays on
		s.last = on
		return
	}
	if busy {
		s.wanted, s.last = append(s.wanted, on), on
		return
	}
	c.threads[thread] = &sign{wanted: []bool{on}, last: on}
	c.sending.Go(func() { c.show(org, thread) })
}

// show asks for one thing after another until nothing more is wanted.
func (c *ChatwootTyping) show(org domain.OrgID, thread domain.ThreadID) {
	ctx := context.Background()
	to, err := c.chatwoot.conversation(ctx, org, thread)
	for {
		c.mu.Lock()
		s := c.threads[thread]
		if len(s.wanted) == 0 || err != nil {
			delete(c.threads, thread)
			c.mu.Unlock()
			return
		}
		on := s.wanted[0]
		s.wanted = s.wanted[1:]
		c.mu.Unlock()
		c.ask(ctx, to, on)
	}
}

// ask switches the sign on, once, or off, until that has come through or was refused.
func (c *ChatwootTyping) ask(ctx context.Context, to conversation, on bool) {
	pause := typingPause
	for try := 1; ; try++ {
		select {
		case <-c.closing:
			if on {
				return
			}
		default:
		}
		c.slots <- struct{}{}
		c.chatwoot.Ledger.GiveWay(ctx)
		asked, cancel := context.WithTimeout(ctx, typingWithin)
		err := to.typing(asked, on)
		cancel()
		<-c.slots
		_, final := errors.AsType[*Undeliverable](err)
		if err == nil || on || final || try == typingTries {
			if err != nil {
				c.log.DebugContext(ctx, "could not show in Chatwoot who writes", "on", on, "err", err)
			}
			return
		}
		select {
		case <-time.After(pause):
		case <-c.closing:
			time.Sleep(typingHurry)
		}
		pause *= 2
	}
}

// Close switches off what is on and takes no more. It returns when that is done, at the latest when ctx ends.
func (c *ChatwootTyping) Close(ctx context.Context) {
	c.mu.Lock()
	if !c.finished {
		c.finished = true
		close(c.closing)
	}
	c.mu.Unlock()
	done := make(chan struct{})
	go func() { c.sending.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
