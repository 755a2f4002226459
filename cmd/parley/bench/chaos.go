package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// chaos is how unkind the run is: it cuts connections, and says lines again that need no saying again. Off, it does nothing.
type chaos bool

// How often, of all lines or connections.
const (
	cutAfterLine = 0.08 // cut the connection with the line on its way
	sameAgain    = 0.15 // say it again on the same connection
	otherAgain   = 0.10 // say it at the same time over another transport, on any node
	oldAgain     = 0.05 // say an earlier one again
	longestLife  = 3 * time.Second
	rushed       = 3 * time.Millisecond // a request cut short ends somewhere within
)

func (c chaos) happens(p float64) bool { return bool(c) && rand.Float64() < p }

// life is a timer that fires when the connection is to be cut for no reason.
func (c chaos) life() *time.Timer {
	if !c {
		return time.NewTimer(forever)
	}
	return time.NewTimer(rand.N(longestLife))
}

// outcome is what saying a line came to.
type outcome int

const (
	carriedOn outcome = iota
	wasCut            // chaos has had enough of the connection
	broke             // the connection is over
)

// utter says one line on the connection, with whatever chaos adds to that.
func (v *visitor) utter(ctx context.Context, c connection, l *line, again bool) outcome {
	if again {
		v.tally.repeat()
	}
	if v.chaos.happens(otherAgain) && v.oldest(l) {
		v.sayElsewhere(ctx, c, l)
	}
	saying, done := ctx, context.CancelFunc(func() {})
	cutting := v.chaos.happens(cutAfterLine)
	if _, requests := c.(*socket); cutting && !requests {
		saying, done = context.WithTimeout(ctx, rand.N(rushed))
	}
	defer done()
	if !v.sayOn(saying, c, l) && !cutting {
		return broke
	}
	if cutting {
		return wasCut
	}
	if v.chaos.happens(sameAgain) && !v.hushed() {
		v.tally.repeat()
		if !v.sayOn(ctx, c, l) {
			return broke
		}
	}
	if old := v.journal.lines[rand.IntN(len(v.journal.lines))]; v.chaos.happens(oldAgain) && v.known(old) { // only this goroutine adds to them
		v.sayElsewhere(ctx, c, old)
	}
	return carriedOn
}

// sayOn says a line on the connection. It returns false if the connection is not to be trusted any more.
func (v *visitor) sayOn(ctx context.Context, c connection, l *line) bool {
	known := v.known(l)
	f, err := c.say(ctx, l.message)
	return v.settle(l, f, known, err)
}

// known reports whether the line has an ack already.
func (v *visitor) known(l *line) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !l.acked.IsZero()
}

// settle takes the answer to a line that was said by a request, or aside.
func (v *visitor) settle(l *line, f *frame, known bool, err error) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.changed()
	no, isNo := errors.AsType[*refusal](err)
	switch {
	case isNo:
		v.refuse(l.ClientID, no)
	case err != nil:
		return false
	case f != nil && f.ClientID != l.ClientID:
		v.tally.fault("ack of something else")
	case f != nil:
		v.acknowledge(*f, known)
	}
	return true
}

// oldest reports whether no earlier line is still on its way: one that is must not be overtaken.
func (v *visitor) oldest(l *line) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.outbox) > 0 && v.outbox[0] == l
}

// hushed reports whether the server has asked to hear nothing for now.
func (v *visitor) hushed() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return time.Now().Before(v.quiet)
}

// sayElsewhere says a line once more on any node, over another transport than the connection's, without waiting for it.
func (v *visitor) sayElsewhere(ctx context.Context, c connection, l *line) {
	v.tally.repeat()
	d := v.doors[rand.IntN(len(v.doors))]
	_, speaksOverSocket := c.(*socket)
	v.mu.Lock()
	known, after := !l.acked.IsZero(), v.cursor
	v.mu.Unlock()
	v.aside.Go(func() {
		ctx := context.WithoutCancel(ctx) // the connection may end before this does
		say := func() (frame, error) { return d.sayAside(ctx, v.token, after, l.message) }
		if speaksOverSocket {
			say = func() (frame, error) { return d.post(ctx, v.token, l.message) }
		}
		f, err := say()
		if no, isNo := errors.AsType[*refusal](err); isNo { // of the line itself the connection will learn
			v.tally.fault(no.Code)
		} else if err == nil {
			v.settle(l, &f, known, nil)
		}
	})
}
