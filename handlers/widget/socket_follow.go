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
	after int64
	ctx   context.Context // ends when another takes its place, or with the connection
	stop  context.CancelFunc
	over  func(context.Context) (*following, error) // what is followed once the thread has become part of another; nil: it never does
	told  chan struct{}                             // closed once the client has been told where the thread stands
}

func (c *socket) newFollowing(ctx context.Context, o opening, after int64) *following {
	f := &following{feed: c.s.feed(o), after: after, told: make(chan struct{})}
	f.feed.caughtUp = func() { c.live.Store(true) }
	f.ctx, f.stop = context.WithCancel(ctx)
	return f
}

// start hands a thread to the follower and returns once it has told the client where the thread stands: answers to what the client
// says next come after that.
func (c *socket) start(ctx context.Context, f *following) {
	select {
	case c.begin <- f:
	case <-ctx.Done():
		return
	}
	select {
	case <-f.told:
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
			if err := c.tellAll(ctx, f); err != nil {
				c.s.logFailure(c.r, err)
				c.end(broken)
			}
		}
	}
}

// tellAll tells of a thread and of whatever it becomes part of, until the reader begins something else.
func (c *socket) tellAll(ctx context.Context, f *following) error {
	for f != nil {
		err := c.tell(f)
		next := (*following)(nil)
		if errors.Is(err, errMoved) && f.over != nil {
			err = c.inTurn(f.ctx, func() (err error) {
				next, err = f.over(ctx)
				return err
			})
		}
		taken := f.ctx.Err() != nil
		f.stop()
		if err != nil && !taken {
			return err
		}
		f = next
	}
	return nil
}

func (c *socket) tell(f *following) error {
	c.live.Store(false)
	for _, e := range f.feed.open.events() {
		c.push(f.ctx, e)
	}
	close(f.told)
	return f.feed.follow(f.ctx, f.after, func(e dialect.Event) bool { return c.push(f.ctx, e) })
}
