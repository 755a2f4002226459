package widget

import (
	"context"
	"errors"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/handlers/dialect"
)

// push queues an event for the writer. A reader that keeps the queue full is too slow and loses the connection; while it still
// gets its history, only if it takes nothing at all. push returns false when the connection is ending.
func (c *socket) push(ctx context.Context, e dialect.Event) bool {
	var late <-chan time.Time
	for !c.over() {
		room := c.offer(e)
		if room == nil {
			return true
		}
		if late == nil {
			patience := lagFor
			if !c.live.Load() {
				patience = c.s.limits.WriteWithin
			}
			timer := time.NewTimer(patience)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-room:
		case <-late:
			c.end(slowConsumer)
		case <-c.ending:
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// offer queues an event if there is room for it, and returns nil; else it returns what is closed when there is.
func (c *socket) offer(e dialect.Event) (room <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) < outQueue {
		c.out = append(c.out, e)
		c.rouse()
		return nil
	}
	if c.room == nil {
		c.room = make(chan struct{})
	}
	return c.room
}

// remind has the peer pinged.
func (c *socket) remind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings = true
	c.rouse()
}

// rouse sees to it that the writer is there. It is called under the lock.
func (c *socket) rouse() {
	if c.writing || c.done {
		return
	}
	c.writing = true
	c.tasks.Go(func() {
		if c.guarded(c.write) != nil {
			c.stop()
		}
	})
}

// write puts on the wire what is to be said, and leaves when that is all; once the socket is to end, it ends it.
func (c *socket) write() error {
	for c.ctx.Err() == nil {
		if c.over() {
			return c.close()
		}
		e, said, ping := c.next()
		if ping { // the pong is waited for beside the others; frames must not wait with it
			c.beside(c.ping)
		}
		switch {
		case said:
			if err := c.put(e); err != nil {
				return err
			}
		case !ping:
			return nil
		}
	}
	return nil
}

// next is what the writer is to do next. When that is nothing, it counts as having left: who comes with something rouses another.
func (c *socket) next() (e dialect.Event, said, ping bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ping, c.pings = c.pings, false
	e, said = c.pop()
	c.writing = said || ping
	if !c.writing && c.over() {
		c.rouse()
	}
	return e, said, ping
}

// pop takes the first event out of the queue, if there is one. It is called under the lock.
func (c *socket) pop() (e dialect.Event, said bool) {
	if len(c.out) == 0 {
		return nil, false
	}
	e, c.out[0] = c.out[0], nil
	if c.out = c.out[1:]; len(c.out) == 0 {
		c.out = nil // who is silent keeps no queue
	}
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
	return e, true
}

// put writes one event. A peer that takes it too late is let go; one that does not take it at all is given a little longer, in
// which it may still learn why, and then cut off.
func (c *socket) put(e dialect.Event) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.s.limits.WriteWithin+closeWithin)
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
func (c *socket) ping() error {
	waiting, cancel := context.WithTimeout(c.ctx, c.s.limits.PingEvery)
	defer cancel()
	switch err := c.conn.Ping(waiting); {
	case err == nil:
		c.missed.Store(0)
	case c.ctx.Err() != nil: // over anyway
	case c.missed.Add(1) >= pingsMissed:
		return errOver
	}
	return nil
}

// close says farewell and waits for the peer to do the same, both for a while only.
func (c *socket) close() error {
	if c.farewell.bye != nil {
		for e, said := c.last(); said; e, said = c.last() {
			if err := c.put(e); err != nil {
				return err
			}
		}
		if err := c.put(*c.farewell.bye); err != nil {
			return err
		}
	}
	_ = c.raw.SetReadDeadline(time.Now().Add(closeWithin))
	err := c.conn.Close(c.farewell.code, c.farewell.reason)
	if err != nil && !errors.Is(err, context.Canceled) {
		c.s.log.Debug("a socket's peer did not say farewell", "err", err)
	}
	return errOver
}

// last is what is still to be said before the farewell.
func (c *socket) last() (e dialect.Event, said bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pop()
}
