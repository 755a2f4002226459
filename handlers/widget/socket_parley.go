package widget

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/dialect"
)

// socket opens a socket in Parley's own dialect.
func (s *Surface) socket(w http.ResponseWriter, r *http.Request, v *chat.Visitor) error {
	return s.serve(w, r, call{
		dialect: s.speak(r), protocol: socketProtocol, guest: guest{address(r), v.Widget.Key}, session: v.Session.ID,
		log:  []any{"session", v.Session.ID, "widget", v.Widget.Key},
		talk: func(c *socket) talk { return &parleyTalk{socket: c, visitor: *v, page: s.pageOf(r)} },
	})
}

// parleyTalk is a visitor whose client says hello with a cursor, hello again when it likes, and gets acks.
type parleyTalk struct {
	*socket
	visitor   chat.Visitor
	page      page       // that the visitor is on
	following *following // nil before hello
	typed     time.Time  // when a hint that the visitor writes last went out
	deltas    bool
}

// begin waits for the client's hello.
func (c *parleyTalk) begin(context.Context) error { return nil }

func (c *parleyTalk) take(ctx context.Context, cmd dialect.Command) (err error) {
	if hello, ok := cmd.(dialect.Hello); ok {
		return c.hello(ctx, hello)
	}
	if c.following == nil {
		return about(cmd, dialect.ErrHelloRequired)
	}
	if typing, ok := cmd.(dialect.Typing); ok && !c.worthTelling(typing) {
		return nil
	}
	if said, ok := cmd.(dialect.Message); ok {
		err = about(said, c.say(ctx, said))
	} else {
		err = c.obey(ctx, cmd)
	}
	if err != nil {
		return err
	}
	return c.keepUp(ctx)
}

// refuse tells a client that has not said hello to do so first, unless it tried.
func (c *parleyTalk) refuse(err *dialect.Refused) error {
	if c.following == nil && err.Type != "hello" && domain.CodeOf(err) != domain.CodeBadJSON {
		return about(dialect.Message{ClientID: err.ClientID}, dialect.ErrHelloRequired)
	}
	return err
}

// hello begins, or begins anew.
func (c *parleyTalk) hello(ctx context.Context, h dialect.Hello) error {
	c.greeted()
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	c.deltas = slices.Contains(h.Capabilities, dialect.CapabilityDelta)
	c.start(o, o.cursor(h.AfterSeq, h.Thread))
	return nil
}

// keepUp follows the visitor to another thread, if theirs has changed.
func (c *parleyTalk) keepUp(ctx context.Context) error {
	if c.visitor.Thread.ID == c.following.feed.thread {
		return nil
	}
	o, err := c.open(ctx)
	if err != nil {
		return err
	}
	c.start(o, 0)
	return nil
}

func (c *parleyTalk) open(ctx context.Context) (opening, error) {
	ctx, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	return c.s.open(ctx, &c.visitor)
}

// start begins anew at a cursor.
func (c *parleyTalk) start(o opening, after int64) {
	if c.following != nil {
		c.following.end()
	}
	c.follow(c.next(o, after))
}

// next is what is to be followed from now on.
func (c *parleyTalk) next(o opening, after int64) *following {
	next := c.newFollowing(o, after)
	next.feed.deltas, next.feed.spoken = c.deltas, newSpoken(c.visitor.Session.ID, after)
	next.over = func(ctx context.Context) (*following, error) { return c.goOver(ctx, next) }
	c.following = next
	return next
}

// goOver is called by who follows, in turn: it follows the visitor to the thread that theirs has become part of, which is read from
// its start. It returns nil when the reader has begun something else meanwhile.
func (c *parleyTalk) goOver(ctx context.Context, from *following) (*following, error) {
	if c.following != from {
		return nil, nil
	}
	if c.visitor.Thread.ID == from.feed.thread {
		if err := c.s.chat.Refresh(ctx, &c.visitor); err != nil {
			return nil, err
		}
	}
	o, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	return c.next(o, 0), nil
}

// say stores a line and sees to its ack. Should the visitor's thread turn out to be another by now, the ack comes after the client
// has learned of that one.
func (c *parleyTalk) say(ctx context.Context, m dialect.Message) error {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	if err := c.s.flow.take(c.place.guest.address, c.visitor.Widget.Key); err != nil {
		return err
	}
	was := c.visitor.Thread.ID
	var late *dialect.Ack
	err := c.following.feed.spoken.say(m.ClientID,
		func() (dialect.Ack, error) {
			ack, err := c.s.say(within, &c.visitor, m)
			if c.visitor.Thread.ID != was {
				late = &ack
			}
			return ack, err
		},
		func(e dialect.Event) {
			if late == nil {
				c.push(ctx, e)
			}
		})
	if err != nil || late == nil {
		return err
	}
	if err := c.keepUp(ctx); err != nil {
		return err
	}
	c.push(ctx, *late)
	return nil
}

func (c *parleyTalk) obey(ctx context.Context, cmd dialect.Command) error {
	within, cancel := context.WithTimeout(ctx, commandWithin)
	defer cancel()
	if _, ok := cmd.(dialect.Identify); ok {
		// Whose word counts is decided by the site's secret of now, not by that of when the socket was opened.
		wid, err := c.s.findFor(within, c.page, c.visitor.Widget.Key)
		if err != nil {
			return err
		}
		c.visitor.Widget = wid
	}
	if _, ok := cmd.(dialect.Rating); ok { // each is a row
		if err := c.s.flow.take(c.place.guest.address, c.visitor.Widget.Key); err != nil {
			return err
		}
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
func (c *parleyTalk) worthTelling(t dialect.Typing) bool {
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
