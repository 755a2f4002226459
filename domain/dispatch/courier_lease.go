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

// deliveryKept is how long after the last sign of life a delivery may still be sent.
const deliveryKept = deliveryLease * 3 / 4

var errUnheard = errors.New("dispatch: the database has not heard for too long that this delivery is on its way")

// take is a delivery's context. since is when it was not yet claimed.
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

// kept notes which of some deliveries are still ours, as the database said to a question of then.
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
