package replay

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
)

// ports are what a replayed turn has of the world: searches answer what they answered then, or look without touching anything, and
// nothing is ever kept.
type ports struct {
	x         domain.Exchange
	knowledge agent.Knowledge

	mu                       sync.Mutex
	recorded, live, withheld int
}

func (p *ports) count(n *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*n++
}

// Search answers from the record, where the turn searched for the same.
func (p *ports) Search(ctx context.Context, org domain.OrgID, query string, limit int) ([]domain.Passage, error) {
	for _, look := range p.x.Lookups {
		if plain(look.Query) == plain(query) {
			p.count(&p.recorded)
			return slices.Clone(look.Passages[:min(limit, len(look.Passages))]), nil
		}
	}
	p.count(&p.live)
	return p.knowledge.Search(ctx, org, query, limit)
}

func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

var errRecorded = errors.New("replay: it failed then, too")

// SetContactDetails keeps nothing. What the turn kept then succeeds again, what it failed at fails, and anything else is called off.
func (p *ports) SetContactDetails(_ context.Context, _ domain.OrgID, _ domain.ContactID, name, email, phone string) error {
	for _, d := range p.x.Details {
		if plain(d.Name) == name && plain(d.Email) == email && plain(d.Phone) == phone {
			p.count(&p.recorded)
			if !d.OK {
				return errRecorded
			}
			return nil
		}
	}
	p.count(&p.withheld)
	return agent.ErrNotExecuted
}

// lend calls off what a tool of somebody else's server would do: nobody knows whether it only looks.
func (p *ports) lend(tool string) error {
	p.count(&p.withheld)
	return callOff(tool)
}

func callOff(string) error { return agent.ErrNotExecuted }

// sink remembers what was said, and nobody else hears of it.
type sink struct{ said []string }

func (*sink) Delta(string)    {}
func (*sink) Think(string)    {}
func (*sink) Step(agent.Step) {}

func (s *sink) Reply(_ context.Context, r agent.Reply) error {
	s.said = append(s.said, r.Harmless().Content)
	return nil
}

// answer is all that came of a turn.
func (s *sink) answer(res agent.Result) domain.Answer {
	a := domain.Answer{Replies: s.said}
	if res.Reply != nil {
		a.Replies = append(a.Replies, res.Reply.Harmless().Content)
	}
	if res.Handoff != nil {
		if a.Handoff = res.Handoff.Reason; a.Handoff == "" {
			a.Handoff = "the agent asked for a person"
		}
	}
	return a
}
