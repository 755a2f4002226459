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
// with an error and ends nothing, unless it is larger than any frame may be. Once the socket is over none is done any more, not even
// one that had arrived: after one that was left out it would overtake that, which the client says again on its next connection.
func (c *socket) read() error {
	ctx := c.ctx
	c.answer(ctx, c.talk.begin(ctx))
	for {
		kind, frame, err := c.frame()
		switch {
		case err != nil || ctx.Err() != nil:
			return errOver
		case c.over():
			continue // until the peer has closed too
		case len(frame) > maxFrame:
			c.end(frameTooBig)
			return nil // what is left of the frame is the farewell's to skip
		case kind == websocket.MessageBinary:
			err = c.d.Binary()
		default:
			err = c.inTurn(ctx, func() error { return c.take(ctx, frame) })
		}
		c.answer(ctx, err)
	}
}

// inTurn does something with what the reader and who follows share.
func (c *socket) inTurn(ctx context.Context, do func() error) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
		return do()
	case <-ctx.Done():
		return nil
	}
}

// answer tells the client why a frame led to nothing.
func (c *socket) answer(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		c.logFailure(err)
		c.push(ctx, failure(err))
	}
}

// frame reads one frame, or the beginning of one that is too large.
func (c *socket) frame() (websocket.MessageType, []byte, error) {
	for {
		if c.in != nil {
			if err := c.in.wait(); err != nil {
				return 0, nil, err
			}
		}
		kind, frame, err := c.whole()
		if !errors.Is(err, errPause) {
			return kind, frame, err
		}
	}
}

// whole is frame once something has come. It fails with errPause when that was no message.
func (c *socket) whole() (websocket.MessageType, []byte, error) {
	kind, r, err := c.conn.Reader(context.Background()) // stop closes what is under it
	if err != nil {
		return 0, nil, err
	}
	c.within = true
	frame, err := io.ReadAll(io.LimitReader(r, maxFrame+1))
	c.within = false
	return kind, frame, err
}

// controlled is called when the library has read a ping or a pong. Between messages the reader waits for what comes next in its own way;
// once the socket is to end, whoever closes it reads, too, and the library waits as it likes.
func (c *socket) controlled() {
	if c.in != nil && !c.over() && !c.within {
		c.in.between()
	}
}

// take does what one frame asks. Its error is the answer.
func (c *socket) take(ctx context.Context, frame []byte) error {
	cmd, err := c.d.Decode(frame)
	refused, isRefused := errors.AsType[*dialect.Refused](err)
	if isRefused {
		cmd = dialect.Message{ClientID: refused.ClientID}
	}
	if wait := c.frames.take(time.Now()); wait > 0 {
		return about(cmd, &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: wait,
			Msg: "that is too much at once, please wait a moment"})
	}
	if isRefused {
		return c.talk.refuse(refused)
	}
	if err != nil || cmd == nil {
		return err
	}
	return c.talk.take(ctx, cmd)
}

// about names the command that an error is about, if it has a name.
func about(cmd dialect.Command, err error) error {
	id := dialect.IDOf(cmd)
	if err == nil || id == "" {
		return err
	}
	if r, ok := errors.AsType[*dialect.Refused](err); ok && r.ClientID == "" {
		return &dialect.Refused{ClientID: id, Name: r.Name, Err: r.Err}
	}
	return &dialect.Refused{ClientID: id, Err: err}
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
