package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// births runs turns that begin in the same commit as the lines they answer. It is open only while Run claims: Run would not wait for a
// turn that begins later.
type births struct {
	d     *Dispatcher
	mu    sync.Mutex
	open  bool
	turns context.Context // of every turn of this Run
}

// begin lets turns be born; once end has returned no more are, and those that are count as running.
func (b *births) begin(turns context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.turns = true, turns
}

func (b *births) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = false
}

// reserve takes a worker, if one is free and nobody writes in the thread. It counts as running, so that Run waits for it.
func (b *births) reserve(thread domain.ThreadID) bool {
	if b.d.typists.anyone(thread, time.Now()) {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return false
	}
	select {
	case <-b.d.free:
		b.d.running.Add(1)
		return true
	default:
		return false
	}
}

func (b *births) release() {
	b.d.done()
	b.d.running.Done()
}

// run runs a turn by the reserved worker.
func (b *births) run(c ledger.Claim) {
	go func() {
		defer b.release()
		b.d.turn(b.turns, c)
	}()
}
