package chat

import (
	"maps"
	"sync"

	"github.com/parley-chat/parley/domain"
)

// reports are those that are kept on this node to be recorded.
type reports struct {
	kept chan struct{} // has something in it when there are any

	mu      sync.Mutex
	waiting map[domain.EventID]chan ChatwootRecorded // who would like to know what became of one
	early   map[domain.EventID]struct{}              // those that were acknowledged before they are recorded
	behind  bool                                     // there are more than are recorded at once
}

func newReports() reports {
	return reports{kept: make(chan struct{}, 1), waiting: map[domain.EventID]chan ChatwootRecorded{}, early: map[domain.EventID]struct{}{}}
}

// wake lets them be recorded.
func (r *reports) wake() {
	select {
	case r.kept <- struct{}{}:
	default:
	}
}

// awaits says where to hear of one, until done is called.
func (r *reports) awaits(id domain.EventID) (recorded <-chan ChatwootRecorded, done func()) {
	c := make(chan ChatwootRecorded, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[id] = c
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.waiting, id)
	}
}

// leave notes that one is acknowledged now, unless it was told of meanwhile.
func (r *reports) leave(id domain.EventID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.waiting[id]; ok {
		r.early[id] = struct{}{}
	}
}

// late reports whether one that comes now has others before it, behind which it would have to wait.
func (r *reports) late() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.behind || len(r.early) > 0
}

// begin notes that a round of recording begins. What was acknowledged before it is recorded once end is called, by whomever.
func (r *reports) begin() (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := maps.Clone(r.early)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for id := range before {
			delete(r.early, id)
		}
	}
}

// isBehind notes whether there are more than are recorded at once.
func (r *reports) isBehind(behind bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.behind = behind
}

func (r *reports) tell(id domain.EventID, what ChatwootRecorded) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.early, id)
	if c, ok := r.waiting[id]; ok {
		delete(r.waiting, id)
		c <- what
	}
}
