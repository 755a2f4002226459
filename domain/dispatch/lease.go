package dispatch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// leases are the turns in progress on this node and how to end each.
type leases struct {
	mu   sync.Mutex
	held map[domain.DispatchID]lease
}

type lease struct {
	ref ledger.TurnRef
	end context.CancelCauseFunc
}

func newLeases() *leases { return &leases{held: map[domain.DispatchID]lease{}} }

func (l *leases) hold(ref ledger.TurnRef, end context.CancelCauseFunc) (release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[ref.Dispatch] = lease{ref, end}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.held[ref.Dispatch].ref.Token == ref.Token { // not a later turn of the same dispatch
			delete(l.held, ref.Dispatch)
		}
	}
}

func (l *leases) all() []lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.held))
}

// stop ends the turn of a dispatch, if it is this node's.
func (l *leases) stop(id domain.DispatchID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if held, ok := l.held[id]; ok {
		held.end(errStopped)
	}
}

// errStopped ends a turn whose answer nobody waits for any more.
var errStopped = errors.New("dispatch: the answer is not wanted any more")

var errTaken = errors.New("dispatch: the thread has changed hands")

// renew keeps the leases of running turns and ends turns whose result could no longer count.
func (d *Dispatcher) renew(ctx context.Context) {
	tick := time.NewTicker(d.o.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held := d.leases.all()
		if len(held) == 0 {
			continue
		}
		refs := make([]ledger.TurnRef, len(held))
		for i, h := range held {
			refs[i] = h.ref
		}
		kept, err := d.ledger.Renew(ctx, refs, d.o.Lease)
		if err != nil {
			continue // an outage: the lease may run out meanwhile, and the append will tell
		}
		for _, h := range held {
			if !kept[h.ref.Dispatch] {
				h.end(errTaken)
			}
		}
	}
}
