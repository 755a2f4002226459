package ledger

import (
	"context"
	"slices"
	"sync"
)

// gather asks the database for many callers at once: whoever comes while an answer is on its way waits for the next, which is asked
// for all of them. No timer: one that is alone asks at once.
type gather[Q, A any] struct {
	most int                                     // questions asked together
	ask  func(context.Context, []Q) ([]A, error) // answers in the order of the questions; its context has a deadline

	mu      sync.Mutex
	busy    bool // somebody asks, or is about to
	waiting []*asking[Q, A]
}

// asking is a caller that waits.
type asking[Q, A any] struct {
	q     Q
	a     A
	err   error
	leads bool      // it is this caller's turn to ask, for all that wait
	wake  chan bool // true: ask; false: a and err are there
}

// get asks for one caller. It is given up when ctx ends; what it has asked may then be done or not.
func (g *gather[Q, A]) get(ctx context.Context, q Q) (A, error) {
	p := &asking[Q, A]{q: q, wake: make(chan bool, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	if !g.busy {
		g.busy, p.leads = true, true
		p.wake <- true
	}
	g.mu.Unlock()
	select {
	case lead := <-p.wake:
		if lead {
			g.lead(ctx, p)
		}
		return p.a, p.err
	case <-ctx.Done():
	}
	g.mu.Lock()
	leads := p.leads
	if i := slices.Index(g.waiting, p); i >= 0 && !leads {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	g.mu.Unlock()
	if leads { // others wait for what this one was to ask
		g.lead(ctx, p)
	}
	var none A
	return none, unavailable(ctx.Err())
}

// lead asks for those that wait, this caller among them, and hands on to the first of those that have come since.
func (g *gather[Q, A]) lead(ctx context.Context, p *asking[Q, A]) {
	g.mu.Lock()
	batch := g.waiting[:min(len(g.waiting), g.most)]
	g.waiting = slices.Clone(g.waiting[len(batch):])
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), laneDeadline)
	g.answer(ctx, batch)
	cancel()
	g.mu.Lock()
	if g.busy = len(g.waiting) > 0; g.busy {
		g.waiting[0].leads = true
		g.waiting[0].wake <- true
	}
	g.mu.Unlock()
	for _, other := range batch {
		if other != p {
			other.wake <- false
		}
	}
}

func (g *gather[Q, A]) answer(ctx context.Context, batch []*asking[Q, A]) {
	answers, err := g.ask(ctx, column(batch, func(p *asking[Q, A]) Q { return p.q }))
	for try := 1; contended(err) && try < laneTries; try++ {
		answers, err = g.ask(ctx, column(batch, func(p *asking[Q, A]) Q { return p.q }))
	}
	if len(batch) > 1 && err != nil && !transient(err) { // a poisoned one fails alone
		for i := range batch {
			g.answer(ctx, batch[i:i+1])
		}
		return
	}
	for i, p := range batch {
		if p.err = err; err == nil {
			p.a = answers[i]
		}
	}
}
