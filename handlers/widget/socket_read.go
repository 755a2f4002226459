package widget

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

// read does what the client's frames ask, one after another, until the client is gone. A frame that leads to nothing is answered
// with an error and ends nothing, unless it is larger than any frame may be.
func (c *socket) read(ctx context.Context) error {
	for {
		kind, frame, err := c.frame(ctx)
		switch {
		case err != nil:
			return errOver
		case c.over():
			continue // until the peer has closed too
		case len(frame) > maxFrame:
			c.end(frameTooBig)
			return nil // what is left of the frame is the farewell's to skip
		case kind == websocket.MessageBinary:
			err = dialect.ErrBinary
		default:
			err = c.take(ctx, frame)
		}
		if err != nil && ctx.Err() == nil {
			c.s.logFailure(c.r, err)
			c.push(ctx, failure(err))
		}
	}
}

// frame reads one frame, or the beginning of one that is too large.
func (c *socket) frame(ctx context.Context) (websocket.MessageType, []byte, error) {
	kind, r, err := c.conn.Reader(ctx)
	if err != nil {
		return 0, nil, err
	}
	frame, err := io.ReadAll(io.LimitReader(r, maxFrame+1))
	return kind, frame, err
}

// take does what one frame asks. Its error is the answer.
func (c *socket) take(ctx context.Context, frame []byte) error {
	cmd, err := c.s.codec.Decode(frame)
	said, isMessage := cmd.(dialect.Message)
	refused, isRefused := errors.AsType[*dialect.Refused](err)
	if isRefused {
		said.ClientID = refused.ClientID
	}
	if wait := c.frames.take(time.Now()); wait > 0 {
		return about(said, &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: wait,
			Msg: "that is too much at once, please wait a moment"})
	}
	if hello, ok := cmd.(dialect.Hello); ok {
		return c.hello(ctx, hello)
	}
	if early := c.following == nil; early && !(isRefused && (refused.Type == "hello" || domain.CodeOf(err) == domain.CodeBadJSON)) {
		return about(said, dialect.ErrHelloRequired)
	}
	if err != nil {
		return err
	}
	if typing, ok := cmd.(dialect.Typing); ok && !c.worthTelling(typing) {
		return nil
	}
	if isMessage {
		err = about(said, c.say(ctx, said))
	} else {
		err = c.obey(ctx, cmd)
	}
	if err != nil {
		return err
	}
	return c.keepUp(ctx)
}

// about names the message that an error is about.
func about(m dialect.Message, err error) error {
	if err == nil || m.ClientID == "" {
		return err
	}
	return &dialect.Refused{ClientID: m.ClientID, Err: err}
}

// say stores a line and sees to its ack.
func (c *socket) say(ctx context.Context, m dialect.Message) error {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	return c.following.feed.spoken.say(m.ClientID,
		func() (dialect.Ack, error) { return c.s.say(within, &c.visitor, m) },
		func(e dialect.Event) { c.push(ctx, e) })
}

func (c *socket) obey(ctx context.Context, cmd dialect.Command) error {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	if _, ok := cmd.(dialect.Identify); ok {
		// Whose word counts is decided by the site's secret of now, not by that of when the socket was opened.
		wid, err := c.s.find(within, c.r, c.visitor.Widget.Key)
		if err != nil {
			return err
		}
		c.visitor.Widget = wid
	}
	answer, err := c.s.obey(within, &c.visitor, cmd)
	if err == nil && answer != nil {
		c.push(ctx, answer)
	}
	return err
}

// typingEvery is how often at most the team is told that the visitor is still writing.
const typingEvery = 500 * time.Millisecond

// worthTelling lets through that the visitor has stopped, and now and then that they are writing.
func (c *socket) worthTelling(t dialect.Typing) bool {
	now := time.Now()
	if !t.On {
		stopped := !c.typed.IsZero()
		c.typed = time.Time{}
		return stopped
	}
	if now.Sub(c.typed) < typingEvery {
		return false
	}
	c.typed = now
	return true
}

// bucket lets through so many frames a second, and twice as many at once when nothing came for a while.
type bucket struct {
	rate float64 // a second
	left float64
	at   time.Time
}

func newBucket(rate int) bucket {
	return bucket{rate: float64(rate), left: 2 * float64(rate), at: time.Now()}
}

// take takes one out, or says how long until there is one.
func (b *bucket) take(now time.Time) (wait time.Duration) {
	b.left = min(2*b.rate, b.left+b.rate*now.Sub(b.at).Seconds())
	b.at = now
	if b.left < 1 {
		return time.Duration((1 - b.left) / b.rate * float64(time.Second))
	}
	b.left--
	return 0
}
