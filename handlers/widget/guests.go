package widget

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

// guests counts who is connected, per client address and widget, and sees them off in the end.
type guests struct {
	limit int

	mu     sync.Mutex
	held   map[guest]int
	places map[*place]struct{}
	shut   bool
	gone   sync.WaitGroup

	leaving context.Context // ends when everybody is to go
	leave   context.CancelFunc
	cut     context.Context // ends when who has not gone is thrown out
	expel   context.CancelFunc
}

type guest struct{ address, widget string }

// place is what one connection holds.
type place struct {
	guest
	session domain.SessionID
	going   context.Context // ends when whoever holds it is to go
	ask     context.CancelCauseFunc
	leave   func() // gives the place back
}

func newGuests(limit int) *guests {
	g := &guests{limit: limit, held: map[guest]int{}, places: map[*place]struct{}{}}
	g.leaving, g.leave = context.WithCancel(context.Background())
	g.cut, g.expel = context.WithCancel(context.Background())
	return g
}

// enter takes a place, whose leave must be called. It fails with Throttled over the limit and with Unavailable once seeOff was called.
func (g *guests) enter(who guest, session domain.SessionID) (*place, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return nil, &domain.Error{Kind: domain.Unavailable, Code: domain.CodeUnavailable, RetryAfter: time.Second,
			Msg: "the server is restarting, please try again in a moment"}
	}
	if who.address != "" && g.held[who] >= g.limit {
		return nil, &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: 10 * time.Second,
			Msg: "too many connections from your network, please close a tab or wait a moment"}
	}
	p := &place{guest: who, session: session}
	p.going, p.ask = context.WithCancelCause(g.leaving)
	p.leave = func() {
		p.ask(nil)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.held[who]--; g.held[who] == 0 {
			delete(g.held, who)
		}
		delete(g.places, p)
		g.gone.Done()
	}
	g.held[who]++
	g.places[p] = struct{}{}
	g.gone.Add(1)
	return p, nil
}

func (g *guests) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.places)
}

func (g *guests) present() []*place {
	g.mu.Lock()
	defer g.mu.Unlock()
	ps := make([]*place, 0, len(g.places))
	for p := range g.places {
		ps = append(ps, p)
	}
	return ps
}

// seeOff shuts the door, asks everybody to go and waits until they have. When ctx ends it stops asking.
func (g *guests) seeOff(ctx context.Context) {
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
	g.leave()
	defer context.AfterFunc(ctx, g.expel)()
	g.gone.Wait()
}

// dismissal is why one guest is to go and the others may stay.
type dismissal dialect.ByeReason

func (d dismissal) Error() string { return "widget: " + string(d) }

// goodbye says why the guest is to go, and spreads the guests' return, so that they do not all knock on the next server at once.
func (p *place) goodbye() dialect.Bye {
	const soonest, latest = 500 * time.Millisecond, 5 * time.Second
	bye := dialect.Bye{Reason: dialect.Drain, ReconnectAfter: soonest + rand.N(latest-soonest)}
	if d, ok := errors.AsType[dismissal](context.Cause(p.going)); ok {
		bye.Reason = dialect.ByeReason(d)
	}
	return bye
}
