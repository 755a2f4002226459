package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
)

const (
	laneQueue    = 4096             // appends waiting in one lane; beyond it the answer is unavailable
	laneBatch    = 256              // appends committed together
	laneTries    = 3                // of a batch that was chosen to give way to another transaction
	laneDeadline = 10 * time.Second // for one batch, so that a stuck database cannot hold callers for ever
)

// lane commits appends in batches of whatever waits. All appends of a thread on this node go through the same lane, so a
// visitor's lines never overtake each other.
type lane struct {
	l       *Ledger
	mu      sync.RWMutex // guards closed against a send on the closed queue
	closed  bool
	queue   chan *pending
	stopped chan struct{}
}

// pending is an append and the caller that waits for it.
type pending struct {
	Append
	out    Outcome
	err    error
	after  *pending // of the same thread: fails if that one does; nil: none
	second bool     // this is its second try after a unique violation
	done   chan struct{}
}

func (l *Ledger) startLane() *lane {
	ln := &lane{l: l, queue: make(chan *pending, laneQueue), stopped: make(chan struct{})}
	go ln.run()
	return ln
}

func (ln *lane) append(ctx context.Context, a Append) (Outcome, error) {
	p := &pending{Append: a, done: make(chan struct{})}
	if err := ln.enqueue(p); err != nil {
		return Outcome{}, err
	}
	return p.await(ctx)
}

func (p *pending) await(ctx context.Context) (Outcome, error) {
	select {
	case <-p.done:
		return p.out, p.err
	case <-ctx.Done(): // the caller is gone; the append goes its way
		return Outcome{}, unavailable(ctx.Err())
	}
}

func (ln *lane) enqueue(p *pending) error {
	ln.mu.RLock()
	defer ln.mu.RUnlock()
	if ln.closed {
		return unavailable(errors.New("ledger: closed"))
	}
	select {
	case ln.queue <- p:
		return nil
	default:
		return unavailable(errors.New("ledger: the append lane is full"))
	}
}

func (ln *lane) close() {
	ln.mu.Lock()
	if !ln.closed {
		ln.closed = true
		close(ln.queue)
	}
	ln.mu.Unlock()
	<-ln.stopped
}

func (ln *lane) run() {
	defer close(ln.stopped)
	batch := make([]*pending, 0, laneBatch)
	for first := range ln.queue {
		batch = append(batch[:0], first)
	fill:
		for len(batch) < laneBatch {
			select {
			case p, ok := <-ln.queue:
				if !ok {
					break fill
				}
				batch = append(batch, p)
			default:
				break fill
			}
		}
		ln.commit(batch)
	}
}

// commit stores a batch and answers its callers. If the batch fails for a reason that waiting does not mend, each append is
// tried by itself, so that a poisoned one fails alone.
func (ln *lane) commit(batch []*pending) {
	ctx, cancel := context.WithTimeout(context.Background(), laneDeadline)
	err := ln.l.commit(ctx, batch)
	for try := 1; contended(err) && try < laneTries; try++ {
		err = ln.l.commit(ctx, batch)
	}
	cancel()
	switch {
	case err == nil:
		ln.answer(batch)
	case len(batch) > 1 && !transient(err):
		for i := range batch {
			ln.commit(batch[i : i+1])
		}
	case isUnique(err) && !batch[0].second:
		batch[0].second = true
		ln.commit(batch) // somebody else stored the same key on another thread meanwhile: now it is a duplicate
	default:
		if domain.KindOf(classify(err)) == domain.Internal {
			ln.l.log.Error("append failed", "thread", batch[0].ThreadID, "err", err)
		}
		for _, p := range batch {
			p.out, p.err = Outcome{}, classify(err)
		}
		ln.answer(batch)
	}
}

func (ln *lane) answer(batch []*pending) {
	outs := make([]Outcome, 0, len(batch))
	for _, p := range batch {
		if p.err == nil && !p.out.Duplicate {
			outs = append(outs, p.out)
		}
	}
	if len(outs) > 0 {
		for _, f := range ln.l.heard {
			f(outs)
		}
	}
	for _, p := range batch {
		close(p.done)
	}
}
