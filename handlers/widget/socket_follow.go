package widget

import (
	"context"
	"errors"

	"github.com/parley-chat/parley/handlers/dialect"
)

// following is one thread followed from one cursor. A socket has one at a time: a new one takes its place when the client says
// hello again, or turns out to be somebody whose thread is another.
type following struct {
	feed  *feed
	first []dialect.Event // what is told before all that follows; nil once it is
	after int64
	ctx   context.Context // ends when another takes its place, or with the connection
	stop  context.CancelFunc
	over  func(context.Context) (*following, error) // what is followed once the thread has become part of another; nil: it never does
	gone  chan struct{}                             // closed once nothing more is told of it
}

func (c *socket) newFollowing(o opening, after int64) *following {
	f := &following{feed: c.s.feed(o), first: o.events(), after: after, gone: make(chan struct{})}
	f.feed.caughtUp = func() { c.live.Store(true) }
	f.ctx, f.stop = context.WithCancel(c.ctx)
	return f
}

// end returns once nothing more is told.
func (f *following) end() {
	f.stop()
	<-f.gone
}

// follow tells the client where a thread stands, so that answers to what it says next come after that, and from then on what happens in
// it. Nothing else may be followed.
func (c *socket) follow(f *following) {
	c.live.Store(false)
	for _, e := range f.first {
		c.push(f.ctx, e)
	}
	f.first = nil
	c.mu.Lock()
	done := c.done
	if !done {
		c.tasks.Add(1)
	}
	c.mu.Unlock()
	if done {
		close(f.gone)
		return
	}
	f.feed.attend(f.ctx, f.after, func(e dialect.Event) bool { return c.push(f.ctx, e) }, func(err error) { c.followed(f, err) })
}

// followed is the end of what follow began: the thread has become part of another, which is followed then, or it is the socket's end, or
// the reader has begun something else.
func (c *socket) followed(f *following, err error) {
	defer c.tasks.Done()
	defer close(f.gone)
	defer f.stop()
	if c.guarded(func() error { return c.goOn(f, err) }) != nil {
		c.stop()
	}
}

func (c *socket) goOn(f *following, err error) error {
	if errors.Is(err, errOver) { // a bug
		return err
	}
	if errors.Is(err, errMoved) && f.over != nil {
		err = c.inTurn(f.ctx, func() error {
			next, err := f.over(c.ctx)
			if next != nil && err == nil {
				c.follow(next)
			}
			return err
		})
	}
	if err != nil && f.ctx.Err() == nil {
		c.logFailure(err)
		c.end(broken)
	}
	return nil
}
