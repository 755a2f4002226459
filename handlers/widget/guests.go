package widget

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

// guests counts who is connected, per client address and widget, and sees them off in the end.
type guests struct {
	limit int

	mu   sync.Mutex
	held map[guest]int
	open int
	shut bool
	gone sync.WaitGroup

	leaving context.Context // ends when everybody is to go
	leave   context.CancelFunc
	cut     context.Context // ends when who has not gone is thrown out
	expel   context.CancelFunc
}

type guest struct{ address, widget string }

func newGuests(limit int) *guests {
	g := &guests{limit: limit, held: map[guest]int{}}
	g.leaving, g.leave = context.WithCancel(context.Background())
	g.cut, g.expel = context.WithCancel(context.Background())
	return g
}

// enter takes a place, to be given back with the returned function. It fails with Throttled over the limit and with Unavailable
// once seeOff was called.
func (g *guests) enter(who guest) (leave func(), err error) {
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
	g.held[who]++
	g.open++
	g.gone.Add(1)
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.held[who]--; g.held[who] == 0 {
			delete(g.held, who)
		}
		g.open--
		g.gone.Done()
	}, nil
}

func (g *guests) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
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

// goodbye spreads the guests' return, so that they do not all knock on the next server at once.
func goodbye() dialect.Bye {
	const soonest, latest = 500 * time.Millisecond, 5 * time.Second
	return dialect.Bye{Reason: dialect.Drain, ReconnectAfter: soonest + rand.N(latest-soonest)}
}
