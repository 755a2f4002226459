package dispatch

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain/ledger"
)

const (
	waitsMost  = 100
	waitsSweep = 30 * time.Second // finds the waits another node was told of and died
)

// watchWaits looks after people who wait for too long, until ctx ends. When is the ledger's to say: every node may look.
func (d *Dispatcher) watchWaits(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	at := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.waits.rings:
			if due := d.waits.take(); due.Before(at) {
				at = due
				next.Reset(time.Until(due))
			}
			continue
		case <-next.C:
		}
		wait := d.tellWaiting(ctx)
		at = time.Now().Add(wait)
		next.Reset(wait)
	}
}

// tellWaiting does what is due and says in how long to look again.
func (d *Dispatcher) tellWaiting(ctx context.Context) time.Duration {
	due, next, ok, err := d.ledger.DueWaits(ctx, waitsMost)
	for _, a := range due { // one that cannot be told must not keep the others from it
		if _, failed := d.ledger.Append(ctx, a); failed != nil {
			err = failed
		}
	}
	switch {
	case ctx.Err() != nil:
		return 0
	case err != nil:
		d.o.Log.WarnContext(ctx, "cannot look after who waits", "err", err)
		return retryPause
	case !ok:
		return waitsSweep
	}
	return min(max(next, claimPause), waitsSweep)
}

// committed hears of this node's appends.
func (d *Dispatcher) committed(outs []ledger.Outcome) {
	for _, o := range outs {
		if !o.Wait.IsZero() {
			d.waits.set(o.Wait)
		}
	}
}
