package agent

import (
	"context"
	"strings"
	"sync"
	"time"
)

// deltaPause is the least time between two deltas: at most ten a second leave a turn, whatever the pace of its model.
const deltaPause = 100 * time.Millisecond

// paced is a sink that gathers deltas. Everything else passes at once.
type paced struct {
	to    Sink
	pause time.Duration

	mu      sync.Mutex // also keeps the sink to one call at a time
	text    strings.Builder
	last    time.Time // of the latest delta
	pending *time.Timer
	over    bool
}

// pace puts a paced sink before another. What it still holds when stop is called is dropped: the message itself is there by then.
func pace(to Sink) (p *paced, stop func()) {
	p = &paced{to: to, pause: deltaPause}
	return p, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.over = true
		p.text.Reset()
	}
}

func (p *paced) Delta(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.WriteString(text)
	if wait := p.pause - time.Since(p.last); wait <= 0 {
		p.flush()
	} else if p.pending == nil {
		p.pending = time.AfterFunc(wait, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.pending = nil
			p.flush()
		})
	}
}

// flush sends what has gathered. It is called under the lock.
func (p *paced) flush() {
	if p.over || p.text.Len() == 0 {
		return
	}
	p.last = time.Now()
	p.to.Delta(p.text.String())
	p.text.Reset()
}

func (p *paced) Reply(ctx context.Context, r Reply) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Reset() // the message replaces it
	return p.to.Reply(ctx, r)
}

func (p *paced) Step(s Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to.Step(s)
}
