package ledger

import (
	"github.com/parley-chat/parley/domain"
)

// Elsewhere is a line that a person of the organisation has written to the contact at the channel's other end, where the contact has it
// already: it is recorded, so that whoever answers next knows of it, and sent nowhere. As any person's line it takes the thread over.
// In its organisation the same channel and external id are recorded once.
type Elsewhere struct {
	Channel    string
	ExternalID string
	Name       string // of the person
	Content    string
}

func (c Elsewhere) key(domain.ThreadID) eventKey {
	return once(c.Channel, domain.ReplyStored, "elsewhere:"+c.ExternalID)
}

func (c Elsewhere) decide(s *state, w *rows) (Outcome, error) {
	if s.contact.erased {
		return Outcome{}, joined()
	}
	if s.Handling != domain.HandlingHuman {
		s.join(w, domain.User{OrgID: s.OrgID, Name: c.Name})
	}
	m := s.keep(w, domain.Message{Direction: domain.Outbound, Author: domain.Author{Kind: domain.AuthorHuman, Name: c.Name}, Content: c.Content})
	s.TeamRead, s.Answered = m.Seq, s.LastInbound
	s.note(w, event{eventKey: c.key(s.ID), message: m.ID, detail: map[string]any{"name": c.Name, "elsewhere": true}})
	s.dropOpen(w, domain.SkipHumanHandling)
	return Outcome{Message: m}, nil
}

// MovedElsewhere is that the thread was resolved, or given back to its agent, at the channel's other end. In its organisation the same
// channel and external id count once: a report that comes again must not undo what has happened since.
type MovedElsewhere struct {
	Channel    string
	ExternalID string
	Name       string          // of who did it; may be empty
	To         domain.Handling // closed or agent
}

func (MovedElsewhere) key(domain.ThreadID) eventKey { return eventKey{} }

func (c MovedElsewhere) event() eventKey {
	kind := domain.Closed
	if c.To == domain.HandlingAgent {
		kind = domain.HandedBack
	}
	return once(clean(c.Channel), kind, "elsewhere:"+c.ExternalID)
}

func (c MovedElsewhere) decide(s *state, w *rows) (Outcome, error) {
	if first, ok := s.events[c.event()]; ok {
		return Outcome{Event: first, Duplicate: true}, nil
	}
	e := event{eventKey: c.event(), detail: map[string]any{"name": c.Name, "elsewhere": true}}
	if c.To == domain.HandlingAgent {
		return s.handBack(w, e)
	}
	return Outcome{}, s.close(w, e)
}
