package widget

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/handlers/dialect"
)

// write puts events on the wire until the connection is over, and ends it: it keeps the clocks.
func (c *socket) write(ctx context.Context) error {
	hello := time.NewTimer(c.s.limits.HelloWithin)
	defer hello.Stop()
	ping := time.NewTicker(c.s.limits.PingEvery)
	defer ping.Stop()
	leaving := c.place.going.Done()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.ending:
			return c.close(ctx)
		case e := <-c.out:
			if err := c.put(ctx, e); err != nil {
				return err
			}
		case <-ping.C:
			// The pong is waited for beside the three; frames must not wait with it.
			c.group.Go(func() error { return c.ping(ctx) })
		case <-hello.C:
			if c.d.Greets() && !c.greeted.Load() {
				c.end(helloTimeout)
			}
		case <-leaving:
			leaving = nil
			c.end(c.place.farewell())
		}
	}
}

// put writes one event. A peer that takes it too late is let go; one that does not take it at all is given a little longer, in
// which it may still learn why, and then cut off.
func (c *socket) put(ctx context.Context, e dialect.Event) error {
	ctx, cancel := context.WithTimeout(ctx, c.s.limits.WriteWithin+closeWithin)
	defer cancel()
	begun := time.Now()
	frame := c.d.Frame(e, begun)
	if frame == nil {
		return nil
	}
	err := c.conn.Write(ctx, websocket.MessageText, frame)
	if time.Since(begun) > c.s.limits.WriteWithin {
		c.end(slowConsumer)
	}
	if err != nil {
		return errOver
	}
	if line, ok := e.(dialect.Line); ok {
		c.s.chat.Delivered(line.Message, "websocket")
	}
	return nil
}

// ping finds out whether the peer is still there.
func (c *socket) ping(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, c.s.limits.PingEvery)
	defer cancel()
	switch err := c.conn.Ping(waiting); {
	case err == nil:
		c.missed.Store(0)
	case ctx.Err() != nil: // over anyway
	case c.missed.Add(1) >= pingsMissed:
		return errOver
	}
	return nil
}

// close says farewell and waits for the peer to do the same, both for a while only.
func (c *socket) close(ctx context.Context) error {
	if c.farewell.bye != nil {
		for len(c.out) > 0 {
			if err := c.put(ctx, <-c.out); err != nil {
				return err
			}
		}
		if err := c.put(ctx, *c.farewell.bye); err != nil {
			return err
		}
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(closeWithin))
	err := c.conn.Close(c.farewell.code, c.farewell.reason)
	if err != nil && !errors.Is(err, context.Canceled) {
		c.s.log.DebugContext(ctx, "a socket's peer did not say farewell", "err", err)
	}
	return errOver
}
