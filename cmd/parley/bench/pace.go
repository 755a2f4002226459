package bench

import (
	"context"
	"sync"
	"time"
)

// pace says how many lines there are to say, and when.
type pace struct {
	rate  int
	until time.Duration // counted from the first line

	mu    sync.Mutex
	left  int // 0 and until > 0: only the time counts
	begun time.Time
}

func newPace(o Options) *pace {
	p := &pace{rate: o.Rate, left: o.Messages}
	if o.Messages == 0 {
		p.until = o.Duration
	}
	return p
}

// take reports whether there is one more line to say, and counts it.
func (p *pace) take() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.begun.IsZero() {
		p.begun = now
	}
	if p.until > 0 {
		return now.Sub(p.begun) < p.until
	}
	p.left--
	return p.left >= 0
}

// hand gives lines to visitors, in turn and evenly over time, until there are no more or ctx ends. What the clock of this
// machine is late for is made up for at once.
func (p *pace) hand(ctx context.Context, visitors []*visitor) {
	begun := time.Now()
	for n := 0; ctx.Err() == nil && p.take(); n++ {
		pause(ctx, time.Until(begun.Add(time.Duration(n)*time.Second/time.Duration(p.rate))))
		visitors[n%len(visitors)].owe(time.Now())
	}
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, wait time.Duration) {
	if wait <= 0 {
		return
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case <-late.C:
	case <-ctx.Done():
	}
}

// backoff is how long to stay away after so many failures.
func backoff(failures int) time.Duration {
	return min(50*time.Millisecond<<min(failures, 10), 2*time.Second)
}

// each does the same for all visitors at once and waits for the last.
func each(visitors []*visitor, do func(*visitor)) {
	var all sync.WaitGroup
	for _, v := range visitors {
		all.Go(func() { do(v) })
	}
	all.Wait()
}
