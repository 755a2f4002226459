package ledger

import (
	"github.com/parley-chat/parley/domain"
)

// Question is a line that gets a turn of its own, at once, without waiting for more lines of a burst. It is refused while the turn of an
// earlier one has not ended, so that a client never has two answers under way that it could mix up.
type Question struct {
	Line
	Again bool // whoever asks is of the team: a thread that waits for a person because an agent could not go on is the agent's again
}

func (c Question) decide(s *state, w *rows) (Outcome, error) {
	if s.open != nil {
		return Outcome{}, &domain.Error{Kind: domain.Conflict, Code: domain.CodeTurnInProgress, Msg: "an answer is still being written"}
	}
	if c.Again && s.Handling == domain.HandlingWaiting {
		_ = s.move(domain.HandlingAgent, "")
		s.Answered = s.LastInbound // what came to nothing is not asked again
	}
	out, err := c.Line.decide(s, w)
	if err == nil && s.open != nil {
		s.open.DueAt, out.Due = s.clock(), s.clock()
	}
	return out, err
}

// CancelTurn is the contact's wish to hear no answer any more: the open dispatch ends unanswered, its running turn is stopped
// wherever it runs, and what it still produces is suppressed. It fails with Conflict when no dispatch is open that covers Seq.
type CancelTurn struct {
	Seq int64 // of a line that is being answered; 0 = of any
}

func (CancelTurn) key(domain.ThreadID) eventKey { return eventKey{} }

func (c CancelTurn) decide(s *state, w *rows) (Outcome, error) {
	d := s.open
	if d == nil || c.Seq != 0 && (c.Seq < d.FromSeq || c.Seq > d.ToSeq) {
		return Outcome{}, domain.Conflictf("no answer is being written")
	}
	s.skipOpen(w, domain.SkipCancelled)
	s.Answered = max(s.Answered, d.ToSeq) // nobody owes these lines an answer
	return Outcome{}, nil
}
