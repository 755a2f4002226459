package widget

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// round is into how many parts the time between two pings of a socket is divided: in each of them some of the sockets have their turn.
const round = 25

// rounds looks after all sockets together: one goroutine reminds them of their pings, for as long as there are any.
type rounds struct {
	tick time.Duration

	mu     sync.Mutex
	turns  [round]map[*socket]struct{}
	count  int
	alone  chan struct{} // closed when the last socket has left; nil: there is none
	gone   bool          // everybody was thrown out
	walker sync.WaitGroup
}

func newRounds(every time.Duration, cut context.Context) *rounds {
	r := &rounds{tick: max(every/round, time.Millisecond)}
	for i := range r.turns {
		r.turns[i] = map[*socket]struct{}{}
	}
	context.AfterFunc(cut, r.throwOut)
	return r
}

// enter adds a socket until leave is called.
func (r *rounds) enter(c *socket) (leave func()) {
	turn := rand.IntN(round)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turns[turn][c] = struct{}{}
	if r.count++; r.count == 1 {
		r.alone = make(chan struct{})
		alone := r.alone
		r.walker.Go(func() { r.walk(alone) })
	}
	if r.gone {
		c.stop()
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.turns[turn], c)
		if r.count--; r.count == 0 {
			close(r.alone)
		}
	}
}

// walk reminds one socket after another, none before all others had their turn.
func (r *rounds) walk(alone <-chan struct{}) {
	tick := time.NewTicker(r.tick)
	defer tick.Stop()
	var due []*socket
	for now := 0; ; now = (now + 1) % round {
		select {
		case <-alone:
			return
		case <-tick.C:
		}
		r.mu.Lock()
		for c := range r.turns[now] {
			due = append(due, c)
		}
		r.mu.Unlock()
		for _, c := range due {
			c.remind()
		}
		clear(due)
		due = due[:0]
	}
}

// throwOut ends all sockets, and those that enter later.
func (r *rounds) throwOut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
	for _, turn := range r.turns {
		for c := range turn {
			c.stop()
		}
	}
}
