package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain/ledger"
)

// Transport is a way out that is not ours. Send returns once the other side has taken the delivery. It may be called again for
// what did arrive, so it marks each with its ID where the other side can tell.
type Transport interface {
	Send(ctx context.Context, d ledger.Delivery) error
}

// Undeliverable is a failure that trying again cannot mend.
type Undeliverable struct{ Err error }

func (u *Undeliverable) Error() string { return u.Err.Error() }

func (u *Undeliverable) Unwrap() error { return u.Err }

// Courier brings deliveries on their way: those of one thread to one target in order, each until it arrives or its day is over.
// Any number of nodes may run one on the same ledger.
type Courier struct {
	ledger     *ledger.Ledger
	transports map[string]Transport
	log        *slog.Logger
	alarm      *alarm
}

const (
	deliveryMost    = 16               // on their way at once from this node
	deliveryWithin  = 30 * time.Second // for one to be taken
	deliveryLease   = 2 * deliveryWithin
	deliverySweep   = 15 * time.Second
	deliveryFirst   = time.Second // full jitter, doubling to deliveryRetryTo
	deliveryRetryTo = 5 * time.Minute
)

// NewCourier makes one for the given ways out; what needs another is left to nodes that have it. Run must be called.
func NewCourier(l *ledger.Ledger, transports map[string]Transport, log *slog.Logger) *Courier {
	c := &Courier{ledger: l, transports: transports, log: log, alarm: newAlarm()}
	l.OnCommit(func(outs []ledger.Outcome) {
		for _, o := range outs {
			if o.Mailed {
				c.Wake()
			}
		}
	})
	return c
}

// Wake says that something was written down to be delivered. It never blocks.
func (c *Courier) Wake() { c.alarm.set(time.Time{}) }

// Run delivers until ctx ends; what is on its way then is finished or comes due again when its lease runs out.
func (c *Courier) Run(ctx context.Context) error {
	if len(c.transports) == 0 {
		<-ctx.Done()
		return nil
	}
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.alarm.rings:
			c.alarm.take()
		case <-next.C:
		}
		next.Reset(c.round(ctx))
	}
}

// round delivers what is due and says in how long to look again.
func (c *Courier) round(ctx context.Context) time.Duration {
	ways := slices.Sorted(maps.Keys(c.transports))
	for ctx.Err() == nil {
		ds, err := c.ledger.ClaimDeliveries(ctx, ways, deliveryMost, deliveryLease)
		if err != nil {
			c.log.WarnContext(ctx, "cannot claim deliveries", "err", err)
			return retryPause
		}
		if len(ds) == 0 {
			break
		}
		var sending sync.WaitGroup
		for _, d := range ds {
			sending.Go(func() { c.deliver(ctx, d) })
		}
		sending.Wait()
	}
	in, ok, err := c.ledger.NextDelivery(ctx, ways)
	switch {
	case err != nil:
		return retryPause
	case !ok:
		return deliverySweep
	}
	return min(max(in, claimPause), deliverySweep)
}

func (c *Courier) deliver(ctx context.Context, d ledger.Delivery) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliveryWithin)
	defer cancel()
	err := c.transports[d.Transport].Send(ctx, d)
	log := c.log.With("delivery", d.ID, "transport", d.Transport, "attempt", d.Attempts)
	store, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor)
	defer cancel()
	if err == nil {
		if err := c.ledger.Delivered(store, d); err != nil {
			log.ErrorContext(ctx, "a delivery that arrived could not be noted; it is sent again", "err", err)
		}
		return
	}
	_, final := errors.AsType[*Undeliverable](err)
	dead, stored := c.ledger.Undelivered(store, d, err.Error(), final, deliveryBackoff(d.Attempts))
	switch {
	case stored != nil:
		log.ErrorContext(ctx, "a delivery that failed could not be noted; it is sent again", "err", stored)
	case dead:
		log.ErrorContext(ctx, "delivery given up", "err", err)
	default:
		log.WarnContext(ctx, "delivery failed", "err", err)
	}
}

func deliveryBackoff(attempt int) time.Duration {
	return rand.N(min(deliveryFirst<<max(0, min(attempt-1, 20)), deliveryRetryTo))
}
