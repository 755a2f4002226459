package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"
)

// visitor is one browser's worth of load: it says what it owes, keeps each line in its outbox until that is acknowledged, and
// comes back with its cursor and its outbox whenever its connection ends.
type visitor struct {
	*load
	token string
	aside sync.WaitGroup // lines being said beside the connection

	mu      sync.Mutex
	journal journal
	owed    []time.Time // lines to say, by when they came due
	through bool        // nothing more will be owed
	outbox  []*line     // said or about to be, and not acknowledged; oldest first
	cursor  int64       // everything up to this seq is heard
	quiet   time.Time   // the server asked to hear nothing before
	limited time.Time   // a limit's share of quiet: until then silence is no reason to lose patience
	news    time.Time   // when the server last said something new
	dialled int         // connections so far
	arrived bool        // the server has told it where it stands
	free    bool        // it may say a line whenever there is room, without being owed one
	change  chan struct{}
}

func newVisitor(l *load, n int, token string) *visitor {
	return &visitor{load: l, token: token, journal: journal{visitor: n}, change: make(chan struct{})}
}

// changed tells whoever waits that something has happened. The lock must be held.
func (v *visitor) changed() {
	close(v.change)
	v.change = make(chan struct{})
}

// owe gives the visitor something to say. The time counts for its latency.
func (v *visitor) owe(due time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.through {
		return
	}
	v.owed = append(v.owed, due)
	v.changed()
}

// begin lets the visitor talk as fast as acks allow.
func (v *visitor) begin() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.free = true
	v.changed()
}

// end lets the visitor finish what it owes, or only what it has begun to say.
func (v *visitor) end(forget bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.through = true
	if forget {
		v.owed = nil
		v.outbox = slices.DeleteFunc(v.outbox, func(l *line) bool { return l.sentOn == refusedLast })
	}
	v.changed()
}

// run keeps the visitor connected until ctx ends. It fails when the server does not let it in.
func (v *visitor) run(ctx context.Context) error {
	defer v.aside.Wait()
	failures := 0
	for ctx.Err() == nil {
		c, err := v.connect(ctx)
		if err == nil {
			failures = 0
			v.converse(ctx, c)
			continue
		}
		failures++
		no, isNo := errors.AsType[*refusal](err)
		switch {
		case ctx.Err() != nil:
		case isNo && !no.passing():
			return no
		case isNo:
			v.tally.fault(no.Code)
			pause(ctx, v.tally.slowed(no, failures))
		default:
			v.tally.fault("no connection")
			pause(ctx, backoff(failures))
		}
	}
	return nil
}

func (v *visitor) connect(ctx context.Context) (connection, error) {
	v.mu.Lock()
	v.dialled++
	after, nth, wait := v.cursor, v.dialled, time.Until(v.quiet)
	v.mu.Unlock()
	pause(ctx, wait)
	n := v.journal.visitor
	c, err := v.doors[(n+nth)%len(v.doors)].dial(ctx, v.o.Transport.pick(n, v.o.Chaos), v.token, after)
	if err == nil {
		v.tally.connected(nth > 1)
		if _, silent := c.(*poll); silent {
			v.hear(frame{Type: "session"})
		}
	}
	return c, err
}

// converse listens and speaks on one connection until that ends, chaos ends it, or ctx does.
func (v *visitor) converse(ctx context.Context, c connection) {
	ctx, over := context.WithCancel(ctx)
	defer over()
	var ear sync.WaitGroup
	ear.Go(func() {
		defer over()
		v.listen(ctx, c)
	})
	if v.speak(ctx, c) {
		v.tally.cut()
	}
	over() // first: what ends now, ends by this side's will
	c.cut()
	ear.Wait() // the cursor stands still before the next connection begins
}

func (v *visitor) listen(ctx context.Context, c connection) {
	for {
		f, err := c.next(ctx)
		if err != nil {
			v.tally.closed(ctx, err)
			return
		}
		v.hear(f)
	}
}

// speak says what is to be said, oldest first, until the connection is over. It reports whether it was chaos that ended it.
func (v *visitor) speak(ctx context.Context, c connection) (cut bool) {
	life := v.chaos.life()
	defer life.Stop()
	for {
		l, again, wait, change := v.next()
		if l != nil {
			switch v.utter(ctx, c, l, again) {
			case carriedOn:
				continue
			case wasCut:
				return true
			case broke:
				return false
			}
		}
		silence := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			silence.Stop()
			return false
		case <-life.C:
			silence.Stop()
			return true
		case <-change:
		case <-silence.C:
		}
		silence.Stop()
	}
}

const forever = 24 * time.Hour // a timer that does not matter

// next is the line to say now: one of the outbox that this connection has not sent, or else a new one, if there is room. If
// there is none, wait says how long to keep quiet, and change is closed when that may no longer be so.
func (v *visitor) next() (l *line, again bool, wait time.Duration, change <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if wait := time.Until(v.quiet); wait > 0 {
		return nil, false, wait, v.change
	}
	for _, l := range v.outbox {
		if l.sentOn != v.dialled {
			again = l.sentOn > 0
			l.sentOn = v.dialled
			return l, again, 0, nil
		}
	}
	if len(v.outbox) >= v.window || v.through && len(v.owed) == 0 {
		return nil, false, forever, v.change
	}
	var due time.Time
	switch {
	case len(v.owed) > 0:
		due, v.owed = v.owed[0], v.owed[1:]
	case !v.free:
		return nil, false, forever, v.change
	case v.pace.take():
		due = time.Now()
	default:
		v.through = true
		v.changed()
		return nil, false, forever, v.change
	}
	l = v.journal.say(rand.Text(), due)
	l.sentOn = v.dialled
	v.outbox = append(v.outbox, l)
	v.tally.said()
	return l, false, 0, nil
}
