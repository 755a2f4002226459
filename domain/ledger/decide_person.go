package ledger

import (
	"fmt"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// PersonReply is what a person of the organisation wrote to the contact. Writing takes the thread over.
// From the same person the same ClientID is stored once in a thread.
type PersonReply struct {
	User        domain.User // ID empty: a program with an API key; Name is shown
	ClientID    string
	Content     string                // may be blank with attachments
	Attachments []domain.AttachmentID // files of this person that no message has taken
	Draft       *Draft                // what an agent had suggested, and had not been decided on
}

func (c PersonReply) key(thread domain.ThreadID) eventKey {
	if c.ClientID == "" {
		return eventKey{}
	}
	by := c.User.ID
	if strings.HasPrefix(c.ClientID, draftClientID) {
		by = "" // whoever sends it, it is sent once
	}
	return once("team", domain.ReplyStored, fmt.Sprint(thread, ":", by, ":", c.ClientID))
}

const draftClientID = "draft:"

// DraftClientID is the client id under which a turn's draft is sent as it is.
func DraftClientID(turn domain.TurnID) string { return draftClientID + string(turn) }

func (c PersonReply) decide(s *state, w *rows) (Outcome, error) {
	files, err := s.files(c.Attachments, Sender{UserID: c.User.ID})
	if err != nil {
		return Outcome{}, err
	}
	if s.Handling != domain.HandlingHuman || c.User.ID != "" && s.AssigneeID != c.User.ID {
		s.join(w, c.User)
	}
	m := s.say(w, domain.Message{
		ClientID: clean(c.ClientID), Direction: domain.Outbound, AuthorID: string(c.User.ID),
		Author: domain.Author{Kind: domain.AuthorHuman, Name: c.User.Name}, Content: c.Content, Attachments: take(files),
		ContentType: c.Draft.contentType(), Citations: c.Draft.citations(),
	})
	s.TeamRead, s.Answered = m.Seq, s.LastInbound
	e := event{eventKey: happened(domain.ReplyStored), message: m.ID, detail: map[string]any{"user_id": c.User.ID, "name": c.User.Name}}
	if key := c.key(s.ID); key.external != "" {
		e.eventKey = key
	}
	s.note(w, e)
	s.dropOpen(w, domain.SkipHumanHandling) // a draft for what is answered now would come too late
	if c.Draft != nil {
		s.decided(w, c.User, *c.Draft, m)
	}
	return Outcome{Message: m}, nil
}

// join gives the thread to a person; every way there is allowed.
func (s *state) join(w *rows, u domain.User) {
	_ = s.move(domain.HandlingHuman, u.ID)
	s.skipOpen(w, domain.SkipHumanHandling)
	s.note(w, event{eventKey: happened(domain.HumanJoined), detail: map[string]any{"user_id": u.ID, "name": u.Name}})
}

// TakeOver gives the thread to a person before they write. Taking what one has already changes nothing.
type TakeOver struct{ User domain.User }

func (TakeOver) key(domain.ThreadID) eventKey { return eventKey{} }

func (c TakeOver) decide(s *state, w *rows) (Outcome, error) {
	if s.Handling != domain.HandlingHuman || s.AssigneeID != c.User.ID {
		s.join(w, c.User)
	}
	return Outcome{}, nil
}

// HandBack gives the thread back to its agent, which at once answers what nobody has answered yet.
type HandBack struct{ User domain.User }

func (HandBack) key(domain.ThreadID) eventKey { return eventKey{} }

func (c HandBack) decide(s *state, w *rows) (Outcome, error) {
	return s.handBack(w, event{eventKey: happened(domain.HandedBack), detail: map[string]any{"user_id": c.User.ID, "name": c.User.Name}})
}

func (s *state) handBack(w *rows, e event) (Outcome, error) {
	if s.Handling == domain.HandlingAgent {
		return Outcome{}, nil
	}
	if err := s.move(domain.HandlingAgent, ""); err != nil {
		return Outcome{}, err
	}
	s.note(w, e)
	if s.LastInbound <= s.Answered {
		return Outcome{}, nil
	}
	return s.queue(w, s.Answered+1, s.LastInbound), nil
}

// queue routes lines that are stored already.
func (s *state) queue(w *rows, from, to int64) Outcome {
	kind, d, why := s.route(from, to, "stored")
	if d == nil {
		s.note(w, event{eventKey: happened(kind), detail: map[string]any{"reason": why, "from_seq": from, "to_seq": to}})
		return Outcome{}
	}
	d.DueAt = s.clock() // these have waited long enough
	s.put(w, d, kind == domain.DispatchQueuedAt)
	s.note(w, event{eventKey: happened(kind), dispatch: d.ID, detail: map[string]any{"from_seq": from, "to_seq": to}})
	return Outcome{Due: d.DueAt}
}

// Close resolves the thread. Closing what is closed changes nothing.
type Close struct{ User domain.User }

func (Close) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Close) decide(s *state, w *rows) (Outcome, error) {
	return Outcome{}, s.close(w, event{eventKey: happened(domain.Closed), detail: map[string]any{"user_id": c.User.ID, "name": c.User.Name}})
}

func (s *state) close(w *rows, e event) error {
	if s.Handling == domain.HandlingClosed {
		return nil
	}
	if err := s.move(domain.HandlingClosed, ""); err != nil {
		return err
	}
	s.skipOpen(w, domain.SkipHumanHandling)
	s.note(w, e)
	return nil
}

// Release lets a thread that a person has wait for another one.
type Release struct {
	User domain.User
	Left bool // they have it no longer because they leave the team; what somebody else has stays theirs
}

func (Release) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Release) decide(s *state, w *rows) (Outcome, error) {
	if s.Handling == domain.HandlingWaiting {
		return Outcome{}, nil
	}
	if c.Left {
		if s.Handling == domain.HandlingHuman && s.AssigneeID == c.User.ID {
			s.handOff(w, c.User.Name+" has left the team", event{})
		}
		return Outcome{}, nil
	}
	if s.Handling == domain.HandlingClosed {
		return Outcome{}, domain.Conflictf("the conversation is closed; write in it to open it again")
	}
	s.handOff(w, c.User.Name+" asked for another person", event{})
	return Outcome{}, nil
}

// TeamNote is a remark for the team only: an event without a seq, because what the contact sees must not have holes.
type TeamNote struct {
	User    domain.User
	Content string
}

func (TeamNote) key(domain.ThreadID) eventKey { return eventKey{} }

func (c TeamNote) decide(s *state, w *rows) (Outcome, error) {
	s.Notes++
	id := s.note(w, event{eventKey: happened(domain.NoteAdded), detail: map[string]any{
		"user_id": c.User.ID, "name": c.User.Name, "content": clean(c.Content)}})
	return Outcome{Event: id}, nil
}
