// Package relay tells whoever follows a thread that it has grown, on this node and all others, and reads it for them. It must never
// carry anything that cannot be lost: a hint says where to look, the ledger says what is there.
package relay

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// sweepEvery is how long a message can stay unseen at worst when the hint about it was lost.
const sweepEvery = 2 * time.Second

// Relay connects what is appended with whoever follows.
type Relay struct {
	ledger *ledger.Ledger
	plane  Backplane
	node   string // this process: hints of our own that come back are dropped
	hub    *hub
	out    *outbox
	reads  singleflight.Group
	work   func(due time.Time)
	stop   func(domain.DispatchID)
	sweeps time.Duration // between two sweeps
	ears   []func(Hint)
	log    *slog.Logger
}

// New makes the relay of a ledger and subscribes it to every append of this node. Run must be running for other nodes to hear.
func New(l *ledger.Ledger, log *slog.Logger) *Relay {
	r := &Relay{ledger: l, plane: postgres{l}, node: rand.Text(), hub: newHub(), out: newOutbox(), work: func(time.Time) {}, stop: func(domain.DispatchID) {}, sweeps: sweepEvery, log: log}
	l.OnCommit(r.committed)
	return r
}

// Over has hints carried by another backplane than the ledger's database. Call it once, before Run.
func (r *Relay) Over(b Backplane) { r.plane = b }

// OnWork names who is told that a dispatch wants a worker at due, or, with a zero due, that hints may have been missed.
// It must not block. Call it once, before Run and before the first append.
func (r *Relay) OnWork(f func(due time.Time)) { r.work = f }

// OnHint names one more who hears every hint, of this node and of others, besides the thread's followers. It must not block. Call it
// before Run and before the first hint.
func (r *Relay) OnHint(f func(Hint)) { r.ears = append(r.ears, f) }

func (r *Relay) heard(h Hint) {
	for _, f := range r.ears {
		f(h)
	}
}

// Work tells every node that a dispatch wants a worker at due; a zero due means now.
func (r *Relay) Work(due time.Time) {
	if due.IsZero() {
		due = time.Now()
	}
	r.work(due)
	r.out.workDue(due)
}

// OnStop names who is told that the turn of a dispatch runs for nothing, whichever node runs it. It must not block. Call it once,
// before Run and before the first append.
func (r *Relay) OnStop(f func(domain.DispatchID)) { r.stop = f }

// Run carries hints between nodes until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.plane.Listen(ctx, r.resync, r.receive) })
	g.Go(func() error { return r.announce(ctx) })
	g.Go(func() error { return r.sweep(ctx) })
	return g.Wait()
}

// committed hears of this node's appends.
func (r *Relay) committed(outs []ledger.Outcome) {
	var due time.Time
	for _, o := range outs {
		if o.Stopped != "" {
			r.stop(o.Stopped)
			r.out.stopped(o.Stopped)
		}
		if at := ours(o); !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
		if o.Thread.LastSeq == o.Before && !o.Moved {
			continue
		}
		g := growth{Org: o.Thread.OrgID, Thread: o.Thread.ID, Seq: o.Thread.LastSeq}
		r.hub.grown(g)
		r.out.grown(g)
	}
	if !due.IsZero() {
		r.work(due)
		r.out.workDue(due)
	}
}

// ours is when an outcome's dispatch is due by this node's clock, whatever the database's shows.
func ours(o ledger.Outcome) time.Time {
	if o.Due.IsZero() {
		return o.Due
	}
	return time.Now().Add(o.Due.Sub(o.At))
}

// Hint shows a hint to whoever follows the thread, on every node.
func (r *Relay) Hint(h Hint) {
	r.hub.hint(h)
	r.heard(h)
	r.out.hint(h)
}

// resync follows a gap in what this node heard: everybody looks for themselves.
func (r *Relay) resync() {
	r.hub.wakeAll()
	r.work(time.Time{})
}

// sweep finds what a lost hint would have told.
func (r *Relay) sweep(ctx context.Context) error {
	tick := time.NewTicker(r.sweeps)
	defer tick.Stop()
	latest := map[domain.OrgID]int64{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		ps, now, err := r.ledger.Positions(ctx, r.hub.threads(), r.hub.organisations())
		if err != nil {
			continue // an outage: the next sweep looks again
		}
		r.hub.positions(ps)
		for org, at := range now {
			if was, ok := latest[org]; ok && was != at {
				r.hub.wakeOrg(org)
			}
		}
		latest = now
	}
}
