package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Transport is a way out that is not ours. Send returns once the other side has taken the delivery. It may be called again for
// what did arrive, so it marks each with its ID where the other side can tell.
type Transport interface {
	Send(ctx context.Context, d ledger.Delivery) error
}

// Later is a failure of somebody who asks to be left alone for a while.
type Later struct {
	Err   error
	After time.Duration
}

func (l *Later) Error() string { return l.Err.Error() }

func (l *Later) Unwrap() error { return l.Err }

// Undeliverable is a failure that trying again cannot mend.
type Undeliverable struct{ Err error }

func (u *Undeliverable) Error() string { return u.Err.Error() }

func (u *Undeliverable) Unwrap() error { return u.Err }

// errMoot is a transport's word that there is nothing to tell any more. The delivery is forgotten, as if it had never been.
var errMoot = errors.New("there is nothing to tell any more")

// Courier brings deliveries on their way: those of one thread to one target in order, each until it arrives or its day is over.
// Any number of nodes may run one on the same ledger.
type Courier struct {
	ledger     *ledger.Ledger
	transports map[string]Transport
	log        *slog.Logger
	alarm      *alarm
	busy       atomic.Int32 // deliveries on their way
	heard      []func(Attempt)
	sending    sync.WaitGroup
	carried    carried
}

const (
	deliveryMost    = 32               // on their way at once from this node
	deliveryShare   = 8                // of them to one target
	deliveryWithin  = 30 * time.Second // for one to be taken
	deliveryLease   = 6 * time.Second  // without a sign of life, after which another node takes over
	deliverySweep   = 15 * time.Second
	deliveryPause   = 200 * time.Millisecond // before looking again at what is due but locked, or has its share on its way
	deliveryFirst   = time.Second            // full jitter, doubling to deliveryRetryTo
	deliveryRetryTo = 5 * time.Minute
)

// NewCourier makes one for the given ways out; what needs another is left to nodes that have it. Run must be called.
func NewCourier(l *ledger.Ledger, transports map[string]Transport, log *slog.Logger) *Courier {
	c := &Courier{ledger: l, transports: transports, log: log, alarm: newAlarm(), carried: carried{held: map[domain.DeliveryID]*carrying{}}}
	l.OnCommit(func(outs []ledger.Outcome) {
		for _, o := range outs {
			if o.Leaves {
				c.Wake()
			}
		}
	})
	l.OnResend(c.Wake)
	return c
}

// Attempt is one try at bringing a delivery on its way.
type Attempt struct {
	Transport string
	Outcome   string // arrived, failed (it is tried again), dead, or moot (there was nothing to tell any more)
	Took      time.Duration
}

// OnAttempt adds somebody who hears of every attempt of this node; they must not block. Call it before Run.
func (c *Courier) OnAttempt(f func(Attempt)) { c.heard = append(c.heard, f) }

func (c *Courier) tell(a Attempt) {
	for _, f := range c.heard {
		f(a)
	}
}

// Wake says that something was written down to be delivered. It never blocks.
func (c *Courier) Wake() { c.alarm.set(time.Time{}) }

// Run delivers until ctx ends; what is on its way then is finished or comes due again when its lease runs out.
func (c *Courier) Run(ctx context.Context) error {
	if len(c.transports) == 0 {
		<-ctx.Done()
		return nil
	}
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var renewer sync.WaitGroup
	renewer.Go(func() { c.renew(renewing) })
	defer renewer.Wait()
	defer stop()
	defer c.sending.Wait()
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

// round sends what is due on its way, as far as there is room, and says in how long to look again. Whoever is done rings.
func (c *Courier) round(ctx context.Context) time.Duration {
	ways := slices.Sorted(maps.Keys(c.transports))
	for ctx.Err() == nil {
		room := deliveryMost - int(c.busy.Load())
		if room <= 0 {
			return deliverySweep
		}
		c.ledger.GiveWay(ctx)
		in, ok, err := c.ledger.NextDelivery(ctx, ways) // before the claim: mostly there is nothing to take, and one question tells
		switch {
		case err != nil:
			return retryPause
		case !ok:
			return deliverySweep
		case in > 0:
			return min(max(in, deliveryPause), deliverySweep)
		}
		claimed := time.Now()
		ds, err := c.ledger.ClaimDeliveries(ctx, ways, room, deliveryShare, deliveryLease)
		if err != nil {
			c.log.WarnContext(ctx, "cannot claim deliveries", "err", err)
			return retryPause
		}
		if len(ds) == 0 {
			return deliveryPause
		}
		c.busy.Add(int32(len(ds)))
		for _, d := range ds {
			c.sending.Go(func() {
				carried, release := c.carried.take(context.WithoutCancel(ctx), d, claimed)
				c.ledger.GiveWay(ctx)
				c.deliver(carried, d)
				release()
				c.busy.Add(-1)
				c.Wake()
			})
		}
	}
	return 0
}

func (c *Courier) deliver(ctx context.Context, d ledger.Delivery) {
	ctx, cancel := context.WithTimeout(ctx, deliveryWithin)
	defer cancel()
	d.Reply = &ledger.DeliveryReply{}
	began := time.Now()
	err := c.transports[d.Transport].Send(ctx, d)
	log := c.log.With("delivery", d.ID, "transport", d.Transport, "attempt", d.Attempts)
	store, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor)
	defer cancel()
	a := Attempt{d.Transport, "arrived", time.Since(began)}
	defer func() { c.tell(a) }()
	if err == nil {
		if err := c.ledger.Delivered(store, d); err != nil {
			log.ErrorContext(ctx, "a delivery that arrived could not be noted; it is sent again", "err", err)
		}
		return
	}
	if errors.Is(err, errMoot) {
		a.Outcome = "moot"
		if err := c.ledger.DropDelivery(store, d); err != nil {
			log.WarnContext(ctx, "a delivery with nothing to tell could not be dropped; it is looked at again", "err", err)
		}
		return
	}
	_, final := errors.AsType[*Undeliverable](err)
	wait := deliveryBackoff(d.Attempts)
	if later, ok := errors.AsType[*Later](err); ok {
		wait = max(wait, later.After)
	}
	a.Outcome = "failed"
	dead, stored := c.ledger.Undelivered(store, d, err.Error(), final, wait)
	switch {
	case stored != nil:
		log.ErrorContext(ctx, "a delivery that failed could not be noted; it is sent again", "err", stored)
	case dead:
		a.Outcome = "dead"
		log.ErrorContext(ctx, "delivery given up", "err", err)
	default:
		log.WarnContext(ctx, "delivery failed", "err", err)
	}
}

func deliveryBackoff(attempt int) time.Duration {
	return rand.N(min(deliveryFirst<<max(0, min(attempt-1, 20)), deliveryRetryTo))
}
