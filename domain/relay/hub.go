package relay

import (
	"sync"
	"sync/atomic"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// hub knows who on this node follows what.
type hub struct {
	mu     sync.Mutex
	thread map[domain.ThreadID]*followed
	org    map[domain.OrgID]map[*follower]struct{}
}

type followed struct {
	followers map[*follower]struct{}
	known     ledger.Position // as of the last sweep
	grown     atomic.Uint64   // counts wake-ups: a read that began before one does not answer it
}

func (t *followed) nudge() {
	t.grown.Add(1)
	for f := range t.followers {
		f.nudge()
	}
}

// follower is one reader. wake holds at most one wake-up: those nobody has taken yet merge. Hints that find no room are dropped.
type follower struct {
	thread *followed // nil when it follows an organisation
	wake   chan struct{}
	hints  chan *Hint
	rouse  func() // called when there is something in either; nil: somebody waits for them
}

const hintQueue = 32

func newFollower() *follower {
	return &follower{wake: make(chan struct{}, 1), hints: make(chan *Hint, hintQueue)}
}

func (f *follower) nudge() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
	if f.rouse != nil {
		f.rouse()
	}
}

func newHub() *hub {
	return &hub{thread: map[domain.ThreadID]*followed{}, org: map[domain.OrgID]map[*follower]struct{}{}}
}

// follow adds a follower of a thread. rouse may be nil; it must not block.
func (h *hub) follow(id domain.ThreadID, rouse func()) (f *follower, leave func()) {
	f = newFollower()
	f.rouse = rouse
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.thread[id]
	if t == nil {
		t = &followed{followers: map[*follower]struct{}{}}
		h.thread[id] = t
	}
	t.followers[f] = struct{}{}
	f.thread = t
	return f, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if delete(t.followers, f); len(t.followers) == 0 {
			delete(h.thread, id)
		}
	}
}

func (h *hub) followOrg(id domain.OrgID) (f *follower, leave func()) {
	f = newFollower()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.org[id] == nil {
		h.org[id] = map[*follower]struct{}{}
	}
	h.org[id][f] = struct{}{}
	return f, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if delete(h.org[id], f); len(h.org[id]) == 0 {
			delete(h.org, id)
		}
	}
}

func (h *hub) grown(g growth) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.thread[g.Thread]; t != nil {
		t.nudge()
	}
	for f := range h.org[g.Org] {
		f.nudge()
	}
}

func (h *hub) hint(hint Hint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.thread[hint.Thread]
	if t == nil {
		return
	}
	for f := range t.followers {
		select {
		case f.hints <- &hint:
		default:
		}
		if f.rouse != nil {
			f.rouse()
		}
	}
}

func (h *hub) wakeOrg(id domain.OrgID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.org[id] {
		f.nudge()
	}
}

func (h *hub) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.thread {
		t.nudge()
	}
	for _, fs := range h.org {
		for f := range fs {
			f.nudge()
		}
	}
}

func (h *hub) threads() []domain.ThreadID {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := make([]domain.ThreadID, 0, len(h.thread))
	for id := range h.thread {
		ids = append(ids, id)
	}
	return ids
}

func (h *hub) organisations() []domain.OrgID {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := make([]domain.OrgID, 0, len(h.org))
	for id := range h.org {
		ids = append(ids, id)
	}
	return ids
}

// positions wakes the followers of every thread that has moved since the last sweep.
func (h *hub) positions(ps []ledger.Position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range ps {
		t := h.thread[p.ID]
		if t == nil || t.known == p {
			continue
		}
		t.known = p
		t.nudge()
	}
}
