package chat

import (
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/relay"
)

// typingFor is how long a person or an agent counts as writing without having said so again.
const typingFor = 30 * time.Second

// pens remembers who, as visitors were told, is writing: people who said so on this node, and agents on any node. Whose browser goes away
// never says that they have stopped, and a node that dies in the middle of a turn does not either; after typingFor it is said for them.
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

// took notes that somebody has said on this node that they write.
func (p *pens) took(h relay.Hint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down[pen{h.Thread, h.Author}] = time.Now().Add(p.lasts)
}

// heard takes every hint, also those of other nodes, where somebody may go on writing, or stop.
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

// laid removes and returns the pens whose time is over.
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
