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

	cut   context.Context // ends when who has not gone is thrown out
	expel context.CancelFunc
}

type guest struct{ address, widget string }

// place is what one connection holds.
type place struct {
	guest
	session domain.SessionID
	guests  *guests

	mu    sync.Mutex
	asked bool   // whoever holds it is to go
	why   error  // unless everybody is
	told  func() // is called then; may be nil
	ended context.Context
	end   context.CancelFunc // of ended; nil: nobody wants to know
}

func newGuests(limit int) *guests {
	g := &guests{limit: limit, held: map[guest]int{}, places: map[*place]struct{}{}}
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
	p := &place{guest: who, session: session, guests: g}
	g.held[who]++
	g.places[p] = struct{}{}
	g.gone.Add(1)
	return p, nil
}

// leave gives the place back.
func (p *place) leave() {
	p.whenAsked(nil)
	p.ask(nil)
	g := p.guests
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held[p.guest]--; g.held[p.guest] == 0 {
		delete(g.held, p.guest)
	}
	delete(g.places, p)
	g.gone.Done()
}

// ask has whoever holds the place go; why is a dismissal, or nil when it is not about them. Only the first time counts.
func (p *place) ask(why error) {
	p.mu.Lock()
	first, told := !p.asked, p.told
	if first {
		p.asked, p.why = true, why
	}
	if p.end != nil {
		p.end()
	}
	p.mu.Unlock()
	if first && told != nil {
		told()
	}
}

// whenAsked has told called once whoever holds the place is to go, at once if they already are. It must not block.
func (p *place) whenAsked(told func()) {
	p.mu.Lock()
	p.told = told
	asked := p.asked
	p.mu.Unlock()
	if asked && told != nil {
		told()
	}
}

// going ends when whoever holds the place is to go.
func (p *place) going() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil {
		if p.ended, p.end = context.WithCancel(context.Background()); p.asked {
			p.end()
		}
	}
	return p.ended
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
	for _, p := range g.present() {
		p.ask(nil)
	}
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if d, ok := errors.AsType[dismissal](p.why); ok {
		bye.Reason = dialect.ByeReason(d)
	}
	return bye
}
