package agent

import (
	"context"
	"strings"
	"sync"
	"time"
)

// deltaPause is the least time between two deltas: at most ten a second leave a turn, whatever the pace of its model.
const deltaPause = 100 * time.Millisecond

// paced is a sink that gathers deltas and thoughts. Everything else passes at once, after the thoughts before it.
type paced struct {
	to    Sink
	pause time.Duration

	mu      sync.Mutex // also keeps the sink to one call at a time
	text    strings.Builder
	thought strings.Builder
	last    time.Time // that something was shown
	pending *time.Timer
	over    bool
}

// pace puts a paced sink before another. Words that it still holds when stop is called are dropped: the message itself is there by
// then. Thoughts have nothing else that tells them.
func pace(to Sink) (p *paced, stop func()) {
	p = &paced{to: to, pause: deltaPause}
	return p, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.reflect()
		p.over = true
		p.text.Reset()
	}
}

func (p *paced) Delta(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.WriteString(text)
	p.show()
}

func (p *paced) Think(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.thought.WriteString(text)
	p.show()
}

// show sends what has gathered, now or as soon as it may. It is called under the lock.
func (p *paced) show() {
	if p.pending != nil { // it takes this along, however late it is
		return
	}
	if wait := p.pause - time.Since(p.last); wait <= 0 {
		p.flush()
	} else {
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
	if p.over || p.text.Len() == 0 && p.thought.Len() == 0 {
		return
	}
	p.reflect()
	p.last = time.Now()
	if p.text.Len() == 0 {
		return
	}
	p.to.Delta(p.text.String())
	p.text.Reset()
}

// reflect sends the thoughts that have gathered. It is called under the lock.
func (p *paced) reflect() {
	if p.over || p.thought.Len() == 0 {
		return
	}
	p.to.Think(p.thought.String())
	p.thought.Reset()
}

func (p *paced) Reply(ctx context.Context, r Reply) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reflect()
	p.text.Reset() // the message replaces it
	return p.to.Reply(ctx, r)
}

func (p *paced) Step(s Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reflect()
	p.to.Step(s)
}
