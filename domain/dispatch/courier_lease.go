package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// carried are the deliveries that this node has on their way. Each is stopped in good time before its lease can run out: whoever takes
// it over looks whether it has arrived, and must not do so while it is still being sent.
type carried struct {
	mu   sync.Mutex
	held map[domain.DeliveryID]*carrying
}

type carrying struct {
	token int64
	stop  context.CancelCauseFunc
	late  *time.Timer
}

// deliveryKept is how long a delivery may go on after its lease was last confirmed.
const deliveryKept = deliveryLease * 3 / 4

var errUnheard = errors.New("dispatch: the database has not heard for too long that this delivery is on its way")

// take returns the context to send a delivery in. since is a moment before it was claimed, from which its lease is counted.
func (c *carried) take(ctx context.Context, d ledger.Delivery, since time.Time) (sending context.Context, release func()) {
	ctx, stop := context.WithCancelCause(ctx)
	k := &carrying{token: d.Token, stop: stop, late: time.AfterFunc(time.Until(since.Add(deliveryKept)), func() { stop(errUnheard) })}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[d.ID] = k
	return ctx, func() {
		k.late.Stop()
		stop(nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.held[d.ID] == k {
			delete(c.held, d.ID)
		}
	}
}

// kept notes which deliveries are still ours. asked are those that the database was asked about, with their tokens, and then is when.
func (c *carried) kept(asked map[domain.DeliveryID]int64, ours map[domain.DeliveryID]bool, then time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, token := range asked {
		k, ok := c.held[id]
		switch {
		case !ok || k.token != token: // it has ended meanwhile
		case !ours[id]:
			k.stop(errTaken)
		case k.late.Stop():
			k.late.Reset(time.Until(then.Add(deliveryKept)))
		}
	}
}

func (c *carried) all() map[domain.DeliveryID]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[domain.DeliveryID]int64, len(c.held))
	for id, k := range c.held {
		all[id] = k.token
	}
	return all
}

// renew keeps the leases of what is on its way.
func (c *Courier) renew(ctx context.Context) {
	tick := time.NewTicker(deliveryLease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held := c.carried.all()
		if len(held) == 0 {
			continue
		}
		then := time.Now()
		within, cancel := context.WithTimeout(ctx, deliveryLease/3)
		ours, err := c.ledger.RenewDeliveries(within, held, deliveryLease)
		cancel()
		if err == nil { // else an outage: what takes too long is stopped, and comes due again
			c.carried.kept(held, ours, then)
		}
	}
}
