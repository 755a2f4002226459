package ledger

import (
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// Inbound is an event that came in over a channel that is not ours: a line of the contact if it has content, else only something that
// happened. In its organisation the same channel, kind and external id are recorded once.
type Inbound struct {
	Channel    string
	Kind       string // message_received for a plain message, else what the channel calls it
	ExternalID string
	Content    string
	Payload    json.RawMessage   // what else the event tells
	Event      domain.EventID    // its id where that was promised already; empty: a new one
	Skip       domain.SkipReason // why no agent may be asked, whatever the thread says
}

// key is empty: an event need not have a message, so it is looked for in another way.
func (Inbound) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Inbound) event() eventKey {
	return eventKey{clean(c.Channel), clean(c.Kind), clean(c.ExternalID)}
}

// receivedEvent is the detail of an Inbound's event: what the line led to, and the payload.
type receivedEvent struct {
	received
	Payload json.RawMessage `json:"payload,omitempty"`
}

func (c Inbound) decide(s *state, w *rows) (Outcome, error) {
	if first, ok := s.events[c.event()]; ok {
		return Outcome{Event: first, Duplicate: true}, nil
	}
	if s.contact.erased {
		return Outcome{}, joined() // whoever comes now is somebody else
	}
	kind, d, why := domain.DispatchSkip, (*domain.Dispatch)(nil), domain.SkipEmptyBody
	e := event{eventKey: c.event(), id: c.Event}
	var out Outcome
	if c.Content != "" {
		if s.Handling == domain.HandlingClosed {
			_ = s.move(domain.HandlingAgent, "")
			s.note(w, event{eventKey: happened(domain.Reopened)})
		}
		name := s.contact.name
		if name == "" {
			name = "Visitor"
		}
		out.Message = s.say(w, domain.Message{Direction: domain.Inbound, Author: domain.Author{Kind: domain.AuthorVisitor, Name: name}, Content: c.Content})
		s.VisitorRead = out.Message.Seq
		e.message = out.Message.ID
		if why = c.skip(s); why == "" {
			kind, d, why = s.route(out.Message.Seq, out.Message.Seq, c.Content)
		}
	} else if why = s.guard(""); why == "" {
		why = domain.SkipEmptyBody
	}
	if d != nil {
		e.dispatch = d.ID
		s.put(w, d, kind == domain.DispatchQueuedAt)
		if d.Status == domain.DispatchQueued {
			out.Due = d.DueAt
		}
	}
	if s.LastMessageAt.IsZero() || s.LastMessageAt.Unix() <= 0 { // nothing was said yet, but from now on the team should see the thread
		s.LastMessageAt = s.now
	}
	led := received{Routing: kind, Reason: why}
	if c.Kind != string(domain.MessageReceived) && out.Message != nil {
		s.note(w, event{eventKey: happened(domain.MessageReceived), message: e.message, dispatch: e.dispatch, detail: led})
	}
	e.detail = receivedEvent{led, c.Payload}
	out.Skip = why
	out.Event = s.note(w, e)
	s.events[c.event()] = out.Event
	return out, nil
}

// skip is why no agent is asked before the guards of the thread have their say.
func (c Inbound) skip(s *state) domain.SkipReason {
	switch {
	case c.Skip == domain.SkipCrossOrg: // the first of the guards
		return c.Skip
	case s.contact.known && !s.contact.optedOut:
		return c.Skip
	}
	return ""
}

// The LATERAL with a LIMIT makes the planner look up each key in the index, whatever it assumes about the number of events.
const readEvents = `
SELECT k.org_id::text, k.channel, k.kind, k.external_id, e.id::text
FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::text[]) AS k(org_id, channel, kind, external_id)
CROSS JOIN LATERAL (SELECT id FROM events e WHERE e.org_id = k.org_id AND e.channel = k.channel AND e.kind = k.kind AND e.external_id = k.external_id LIMIT 1) e`

// recorded is a change that need not have a message, and is recorded once under the key of its event.
type recorded interface{ event() eventKey }

// queueEventsKnown reads which of the batch's inbound events are recorded already.
func queueEventsKnown(b *pgx.Batch, batch []*pending, known map[domain.OrgID]map[eventKey]domain.EventID) {
	var orgs, channels, kinds, externals []string
	for _, p := range batch {
		c, ok := p.Change.(recorded)
		if !ok {
			continue
		}
		if known[p.OrgID] == nil {
			known[p.OrgID] = map[eventKey]domain.EventID{}
		}
		k := c.event()
		orgs, channels = append(orgs, string(p.OrgID)), append(channels, k.channel)
		kinds, externals = append(kinds, k.kind), append(externals, k.external)
	}
	if len(orgs) == 0 {
		return
	}
	b.Queue(readEvents, orgs, channels, kinds, externals).Query(func(r pgx.Rows) error {
		for r.Next() {
			var org domain.OrgID
			var k eventKey
			var id domain.EventID
			if err := r.Scan(&org, &k.channel, &k.kind, &k.external, &id); err != nil {
				return err
			}
			known[org][k] = id
		}
		return r.Err()
	})
}

// Proactive is a line that the organisation writes without being asked. It takes nothing over: whoever has the thread goes on. In a
// thread the same ClientID is stored once.
type Proactive struct {
	User     domain.User // ID empty: a program with an API key; Name is shown
	ClientID string
	Content  string
}

func (c Proactive) key(thread domain.ThreadID) eventKey {
	return once("team", domain.ReplyStored, string(thread)+":proactive:"+c.ClientID)
}

func (c Proactive) decide(s *state, w *rows) (Outcome, error) {
	switch {
	case s.contact.erased:
		return Outcome{}, domain.Conflictf("this contact was erased: there is nobody to write to")
	case s.contact.optedOut:
		return Outcome{}, domain.Conflictf("this contact does not want to be written to")
	}
	m := s.say(w, domain.Message{ClientID: clean(c.ClientID), Direction: domain.Outbound, AuthorID: string(c.User.ID),
		Author: domain.Author{Kind: domain.AuthorHuman, Name: c.User.Name}, Content: c.Content})
	if s.TeamRead == m.Seq-1 {
		s.TeamRead = m.Seq
	}
	s.note(w, event{eventKey: c.key(s.ID), message: m.ID, detail: map[string]any{"user_id": c.User.ID, "name": c.User.Name, "proactive": true}})
	return Outcome{Message: m}, nil
}
