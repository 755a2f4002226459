package ledger

import (
	"time"

	"github.com/parley-chat/parley/domain"
)

// await begins a waiting period: whoever waits is told what happens next if nobody has come by then.
func (s *state) await() {
	s.WaitDue, s.OfferedAt, s.WaitedAt = time.Time{}, time.Time{}, time.Time{}
	if s.widget.known {
		s.WaitDue = s.clock().Add(s.widget.handoffAfter)
	}
}

// calm ends it: somebody has come.
func (s *state) calm() { s.WaitDue, s.OfferedAt, s.WaitedAt = time.Time{}, time.Time{}, time.Time{} }

// waits reports whether the contact waits for a person, or for an agent that nobody asks.
func (s *state) waits() bool {
	return s.Handling == domain.HandlingWaiting || s.Handling == domain.HandlingAgent && s.LastInbound > s.Answered
}

// Waited looks after somebody who may have waited for too long. An agent that has not answered yet is left to it, and people are
// asked beside it; if nobody has come after that, or to a thread that waits for a person, the contact is told once what happens
// next, and the owners are mailed. What is not due, or was done, changes nothing, so any node may say it at any time.
type Waited struct{ Locale string } // the contact's

func (Waited) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Waited) decide(s *state, w *rows) (Outcome, error) {
	switch {
	case !s.widget.known:
		return Outcome{}, nil
	case s.late():
		s.OfferedAt, s.WaitDue = s.clock(), s.clock().Add(s.widget.handoffAfter)
		s.note(w, event{eventKey: happened(domain.HandedOff), dispatch: s.open.ID,
			detail: map[string]any{"reason": "the agent has not answered yet", "offered": true}})
		return Outcome{Moved: true}, nil
	case s.WaitDue.IsZero() || s.WaitDue.After(s.clock()):
		return Outcome{}, nil
	case !s.waits():
		s.calm()
		return Outcome{}, nil
	}
	s.WaitDue, s.WaitedAt = time.Time{}, s.now
	locale := s.widget.locale
	if locale == "" {
		locale = c.Locale
	}
	m := s.say(w, domain.Message{
		Direction: domain.Outbound, Content: domain.WaitingText(s.widget.waitingText, locale, s.contact.email == ""),
		Author: domain.Author{Kind: domain.AuthorSystem, Name: s.widget.title},
	})
	s.note(w, event{eventKey: happened(domain.ReplyStored), message: m.ID, detail: map[string]any{"waiting": true}})
	out := Outcome{Message: m, Moved: true}
	if s.mails {
		w.mails = append(w.mails, mailToOwners{s, mailThreadWaiting, s.now})
		out.Leaves = true
	}
	return out, nil
}

// late reports whether the agent has kept the contact waiting longer than the widget allows, and nobody was asked yet.
func (s *state) late() bool {
	return s.Handling == domain.HandlingAgent && s.open != nil && s.open.Replies == 0 && s.OfferedAt.IsZero() && s.WaitedAt.IsZero() &&
		s.clock().Sub(s.open.FirstAt) >= s.widget.handoffAfter
}

// mailToOwners is a mail to every owner of a thread's organisation.
type mailToOwners struct {
	thread *state
	kind   string
	at     time.Time
}

// mailThreadWaiting tells an owner that somebody waits and nobody has come. It is written when it is sent, from what the thread is then.
const mailThreadWaiting = `{"letter":"thread_waiting"}`

// Retry asks the agent once more for what nobody has answered, after it gave up or a person was asked for.
type Retry struct{ User domain.User }

func (Retry) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Retry) decide(s *state, w *rows) (Outcome, error) {
	switch {
	case s.LastInbound <= s.Answered:
		return Outcome{}, domain.Conflictf("everything in this conversation is answered")
	case s.Handling == domain.HandlingHuman:
		return Outcome{}, domain.Conflictf("a person has this conversation; hand it back first")
	case s.open != nil:
		return Outcome{}, nil // it is being tried
	}
	if s.Handling != domain.HandlingAgent {
		if err := s.move(domain.HandlingAgent, ""); err != nil {
			return Outcome{}, err
		}
		s.note(w, event{eventKey: happened(domain.HandedBack), detail: map[string]any{"user_id": c.User.ID, "name": c.User.Name, "retry": true}})
	}
	return s.queue(w, s.Answered+1, s.LastInbound), nil
}
