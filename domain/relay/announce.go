package relay

import (
	"context"
	"encoding/json"
	"time"
)

// announce sends what the outbox holds whenever it holds something. What comes in while it sends goes out together next time.
func (r *Relay) announce(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.out.filled:
		}
		payloads := r.out.take(r.node)
		if len(payloads) == 0 {
			continue
		}
		if err := r.plane.Send(ctx, payloads); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "hints lost, the sweep will find what they told", "err", err)
		}
	}
}

// receive hears what another node announced.
func (r *Relay) receive(payload string) {
	var e envelope
	if err := json.Unmarshal([]byte(payload), &e); err != nil {
		r.log.Warn("a notification that is not ours", "err", err)
		return
	}
	if e.Node == r.node {
		return
	}
	for _, g := range e.Grown {
		r.hub.grown(g)
	}
	for _, h := range e.Hints {
		r.hub.hint(h)
		r.heard(h)
	}
	for _, id := range e.Stopped {
		r.stop(id)
	}
	if e.Due != 0 {
		r.work(time.Now().Add(time.Duration(e.Due) * time.Millisecond))
	}
}
