package dispatch

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
)

// typingFor is how long somebody counts as writing after the last hint that says so; clients repeat it every three seconds.
const typingFor = 4500 * time.Millisecond

// typists remembers who is writing in which thread, from hints alone, so that it costs no row. A lost hint means that a turn begins a
// little early.
type typists struct {
	mu    sync.Mutex
	until map[domain.AuthorKind]map[domain.ThreadID]time.Time
}

func newTypists() *typists {
	return &typists{until: map[domain.AuthorKind]map[domain.ThreadID]time.Time{domain.AuthorVisitor: {}, domain.AuthorHuman: {}}}
}

// heard takes a hint. It reports whether somebody has stopped to write, for whom something may be due now.
func (t *typists) heard(h relay.Hint, now time.Time) (stopped bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	who, ok := t.until[h.Author.Kind]
	if !ok || h.Kind != relay.Typing {
		return false
	}
	if h.On {
		who[h.Thread] = now.Add(typingFor)
		return false
	}
	_, stopped = who[h.Thread]
	delete(who, h.Thread)
	return stopped
}

// anyone reports whether the visitor or a person of the team writes in a thread.
func (t *typists) anyone(thread domain.ThreadID, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, who := range t.until {
		if who[thread].After(now) {
			return true
		}
	}
	return false
}

// pauses is who writes now, and when the first of them stops counting; zero if nobody writes.
func (t *typists) pauses(now time.Time) (p ledger.Pauses, next time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, who := range t.until {
		for thread, until := range who {
			if !until.After(now) {
				delete(who, thread)
			} else if next.IsZero() || until.Before(next) {
				next = until
			}
		}
	}
	p.Visitors = slices.Collect(maps.Keys(t.until[domain.AuthorVisitor]))
	p.People = slices.Collect(maps.Keys(t.until[domain.AuthorHuman]))
	return p, next
}
