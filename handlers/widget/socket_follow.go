package widget

import (
	"context"
	"slices"

	"github.com/parley-chat/parley/handlers/dialect"
)

// following is one thread followed from one cursor. A socket has one at a time: a new one takes its place when the client says
// hello again, or turns out to be somebody whose thread is another.
type following struct {
	feed  *feed
	after int64
	ctx   context.Context // ends when another takes its place, or with the connection
	stop  context.CancelFunc
	told  chan struct{} // closed once the client has been told where the thread stands
}

// hello begins, or begins anew.
func (c *socket) hello(ctx context.Context, h dialect.Hello) error {
	c.greeted.Store(true)
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	c.deltas = slices.Contains(h.Capabilities, dialect.CapabilityDelta)
	c.start(ctx, o, h.AfterSeq)
	return nil
}

// keepUp follows the visitor to another thread, if theirs has changed.
func (c *socket) keepUp(ctx context.Context) error {
	if c.visitor.Thread.ID == c.following.feed.open.visitor.Thread.ID {
		return nil
	}
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	c.start(ctx, o, 0)
	return nil
}

func (c *socket) open(ctx context.Context) (opening, error) {
	ctx, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	return c.s.open(ctx, &c.visitor)
}

// start lets the follower begin anew and returns once it has told the client where the thread stands: answers to what the client
// says next come after that.
func (c *socket) start(ctx context.Context, o opening, after int64) {
	if c.following != nil {
		c.following.stop()
	}
	after = o.cursor(after)
	next := &following{feed: c.s.feed(o), after: after, told: make(chan struct{})}
	next.feed.deltas, next.feed.spoken = c.deltas, newSpoken(c.visitor.Session.ID, after)
	next.feed.caughtUp = func() { c.live.Store(true) }
	next.ctx, next.stop = context.WithCancel(ctx)
	c.following = next
	select {
	case c.begin <- next:
	case <-ctx.Done():
		return
	}
	select {
	case <-next.told:
	case <-ctx.Done():
	}
}

// follow tells the client what happens in the thread that the reader has begun last.
func (c *socket) follow(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case f := <-c.begin:
			if err := c.tell(f); err != nil && f.ctx.Err() == nil {
				c.s.logFailure(c.r, err)
				c.end(broken)
			}
		}
	}
}

func (c *socket) tell(f *following) error {
	defer f.stop()
	c.live.Store(false)
	for _, e := range f.feed.open.events() {
		c.push(f.ctx, e)
	}
	close(f.told)
	return f.feed.follow(f.ctx, f.after, func(e dialect.Event) bool { return c.push(f.ctx, e) })
}
