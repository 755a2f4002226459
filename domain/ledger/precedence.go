package ledger

import (
	"context"
	"slices"
	"sync"
	"time"
)

// precedence lets what nobody waits for give way to a crowd that waits for nothing but the word that what it brought is recorded. It is
// about this node's hands only: what gives way is on record, and goes on little by little however long the crowd stays.
type precedence struct {
	mu      sync.Mutex
	waiting int // who wait for an acknowledgement
	crowded bool
	formed  chan struct{} // closed while many wait; nil: nobody has asked since
	many    bool          // wait at this moment; a crowd outlasts them a little
	alone   time.Time     // until when nothing goes on beside the crowd
	thinned time.Time     // when a crowd had become a few
	queue   []chan struct{}
	tick    *time.Timer // lets the next of the queue go on; nil: none was needed yet
	ticking bool
}

const (
	crowdFrom  = 8                     // at once
	crowdFew   = 2                     // are no crowd any more, when it has been no more of them
	crowdLull  = 3 * time.Millisecond  // for so long
	crowdAlone = 50 * time.Millisecond // nothing goes on beside a crowd at first: most are gone by then
	crowdTick  = 10 * time.Millisecond // beside one that stays, one goes on so often
	afterTick  = time.Millisecond      // once it has gone afterMost so often: all at once would be in the next crowd's way
	afterMost  = 2
)

// Acknowledging says that somebody waits for an acknowledgement, until done is called.
func (l *Ledger) Acknowledging() (done func()) {
	p := &l.first
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting++
	if p.waiting >= crowdFrom && !p.many {
		p.many = true
		if p.formed == nil {
			p.formed = make(chan struct{})
		}
		close(p.formed)
	}
	if p.waiting >= crowdFrom && !p.crowded {
		p.crowded, p.alone = true, time.Now().Add(crowdAlone)
		p.in(crowdTick)
	}
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.waiting--; p.waiting == crowdFew {
			p.thinned = time.Now()
			if p.many {
				p.many, p.formed = false, nil
			}
		}
	})
}

// GiveWay waits while there is a crowd, but for the few that go on beside it, or until ctx ends. It is called before work that nobody
// waits for, or that will take longer than a crowd does.
func (l *Ledger) GiveWay(ctx context.Context) {
	p := &l.first
	p.mu.Lock()
	if !p.crowded && len(p.queue) == 0 {
		p.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	p.queue = append(p.queue, turn)
	p.in(afterTick)
	p.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		if i := slices.Index(p.queue, turn); i >= 0 {
			p.queue = slices.Delete(p.queue, i, i+1)
		}
	}
}

// Crowd is closed once a crowd waits for acknowledgements, and is another one when it does not any more.
func (l *Ledger) Crowd() <-chan struct{} {
	p := &l.first
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.formed == nil {
		p.formed = make(chan struct{})
	}
	return p.formed
}

// crowd reports whether there is one.
func (p *precedence) crowd() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crowded
}

// in lets the timer tick, if it does not already.
func (p *precedence) in(d time.Duration) {
	switch {
	case p.ticking:
		return
	case p.tick == nil:
		p.tick = time.AfterFunc(d, p.next)
	default:
		p.tick.Reset(d)
	}
	p.ticking = true
}

// next lets the first of the queue go on, and notices that a crowd has gone.
func (p *precedence) next() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ticking = false
	if p.waiting <= crowdFew && time.Since(p.thinned) >= crowdLull {
		p.crowded = false
	}
	most, again := afterMost, afterTick
	if p.crowded {
		most, again = 1, crowdTick
		if time.Now().Before(p.alone) {
			most = 0
		}
	}
	for range min(most, len(p.queue)) {
		close(p.queue[0])
		p.queue = p.queue[1:]
	}
	if p.crowded || len(p.queue) > 0 {
		p.in(again)
	}
}
