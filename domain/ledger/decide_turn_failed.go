package ledger

import (
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

// TurnFail is a turn that did not come off. The dispatch is tried again after RetryIn, unless Final is set, the agent's attempts
// or its time are used up, or part of the answer was already said. While the agent is away the attempt does not count.
type TurnFail struct {
	TurnRef
	Reason  string
	Fault   domain.Fault // empty: the agent's own
	Final   bool
	Away    bool // the agent's circuit is open
	RetryIn time.Duration
	Usage   json.RawMessage
	Steps   []Step
}

func (TurnFail) key(domain.ThreadID) eventKey { return eventKey{} }

func (c TurnFail) decide(s *state, w *rows) (Outcome, error) {
	s.record(w, c.Turn, c.Steps)
	detail := map[string]any{"error": c.Reason}
	if c.Fault != "" {
		detail["fault"] = c.Fault
	}
	s.step(w, c.Turn, domain.TurnFailure, detail)
	w.turns = append(w.turns, turnRow{c.Turn, domain.TurnFailed, c.Reason, c.Usage, s.now})
	if s.stale(c.TurnRef) != "" {
		return Outcome{}, nil // somebody else has the thread or the dispatch: nothing is owed any more
	}
	d := s.open
	d.LastError = c.Reason
	switch {
	case d.Replies > 0:
		return s.settle(w, c.ToSeq), nil
	case c.Away && !c.Final && s.clock().Sub(d.FirstAt) < domain.HoldFor:
		d.Attempts, d.TriedAt = d.Attempts-1, time.Time{}
	case c.Final || d.Attempts >= s.agent.maxAttempts || s.clock().Add(c.RetryIn).Sub(d.TriedAt) > s.agent.giveUp && !d.TriedAt.IsZero():
		return s.giveUp(w, c.Turn, c.Reason), nil
	}
	d.Status, d.DueAt = domain.DispatchQueued, s.clock().Add(c.RetryIn)
	s.put(w, d, false)
	s.step(w, c.Turn, domain.RetryScheduled, map[string]any{"at": d.DueAt, "attempt": d.Attempts + 1, "away": c.Away})
	return Outcome{Due: d.DueAt}, nil
}

// giveUp ends a dispatch for good: the visitor is told, and the thread waits for a person.
func (s *state) giveUp(w *rows, turn domain.TurnID, reason string) Outcome {
	d := s.finish(w, domain.DispatchDead)
	s.note(w, event{eventKey: happened(domain.DispatchDied), dispatch: d.ID, turn: turn,
		detail: map[string]any{"error": reason, "attempts": d.Attempts}})
	var out Outcome
	if s.drafts() { // nobody was promised anything
		return out
	}
	if text, by := s.fallback(); text != "" {
		out.Message = s.say(w, domain.Message{Direction: domain.Outbound, Content: text, Author: domain.Author{Kind: domain.AuthorSystem, Name: by}})
		s.note(w, event{eventKey: happened(domain.ReplyStored), message: out.Message.ID, dispatch: d.ID,
			detail: map[string]any{"fallback": true}})
	}
	s.handOff(w, "the agent failed: "+reason, event{dispatch: d.ID, turn: turn})
	return out
}

// fallback is what the contact is told when the agent has failed for good, and by whom.
func (s *state) fallback() (text, by string) {
	if s.widget.known {
		return s.widget.fallback, s.widget.title
	}
	return s.channel.fallback, s.agent.name
}

// GiveUp ends a dispatch that has waited for its agent longer than anybody should. One that is claimed or over meanwhile is left.
type GiveUp struct{ Dispatch domain.DispatchID }

func (GiveUp) key(domain.ThreadID) eventKey { return eventKey{} }

func (c GiveUp) decide(s *state, w *rows) (Outcome, error) {
	if s.open == nil || s.open.ID != c.Dispatch || s.open.Status != domain.DispatchQueued || s.clock().Sub(s.open.FirstAt) < domain.HoldFor {
		return Outcome{}, nil
	}
	return s.giveUp(w, "", "it was not there for a day"), nil
}
