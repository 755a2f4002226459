package chat

import (
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/relay"
)

// typingFor is how long a person or an agent counts as writing who has not said so again.
const typingFor = 30 * time.Second

// pens are those of whom visitors were told that they write: people who said so on this node, and agents on any, since a node that dies
// in the middle of a turn takes nothing back. Somebody whose browser goes away says no more, and a visitor is not to wait for them.
type pens struct {
	mu    sync.Mutex
	lasts time.Duration
	down  map[pen]time.Time // when each is taken for laid down
}

type pen struct {
	thread domain.ThreadID
	author domain.Author
}

func newPens() pens { return pens{lasts: typingFor, down: map[pen]time.Time{}} }

// took notes that somebody writes, who said so here.
func (p *pens) took(h relay.Hint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down[pen{h.Thread, h.Author}] = time.Now().Add(p.lasts)
}

// heard is told every hint, of other nodes too: somebody may have gone on there, or stopped.
func (p *pens) heard(h relay.Hint) {
	if h.Kind != relay.Typing || h.Author.Kind == domain.AuthorVisitor {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	k := pen{h.Thread, h.Author}
	switch _, known := p.down[k]; {
	case h.On && (known || h.Author.Kind == domain.AuthorAgent):
		p.down[k] = time.Now().Add(p.lasts)
	case known:
		delete(p.down, k)
	}
}

// laid takes those whose time is over.
func (p *pens) laid(now time.Time) (over []pen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, at := range p.down {
		if !now.Before(at) {
			over = append(over, k)
			delete(p.down, k)
		}
	}
	return over
}

func (s *Service) layPens(now time.Time) {
	for _, k := range s.pens.laid(now) {
		s.relay.Hint(relay.Hint{Thread: k.thread, Kind: relay.Typing, Author: k.author})
	}
}
