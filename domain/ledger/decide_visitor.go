package ledger

import (
	"time"

	"github.com/parley-chat/parley/domain"
)

// Line is what a contact wrote. Within its session the same ClientID is stored once.
type Line struct {
	SessionID   domain.SessionID
	ClientID    string
	Content     string                // may be blank with attachments
	Attachments []domain.AttachmentID // files of this session that no message has taken
}

func (c Line) key(domain.ThreadID) eventKey {
	return once(domain.ChannelWebchat, domain.MessageReceived, string(c.SessionID)+":"+c.ClientID)
}

func (c Line) decide(s *state, w *rows) (Outcome, error) {
	files, err := s.files(c.Attachments, Sender{SessionID: c.SessionID})
	if err != nil {
		return Outcome{}, err
	}
	if err := s.admit(); err != nil {
		return Outcome{}, err
	}
	if s.Handling == domain.HandlingClosed {
		_ = s.move(domain.HandlingAgent, "")
		s.note(w, event{eventKey: happened(domain.Reopened)})
	}
	name := s.contact.name
	if name == "" {
		name = "Visitor"
	}
	m := s.say(w, domain.Message{
		ClientID: clean(c.ClientID), SessionID: c.SessionID, Direction: domain.Inbound,
		Author: domain.Author{Kind: domain.AuthorVisitor, Name: name}, Content: c.Content, Attachments: take(files),
	})
	s.VisitorRead = m.Seq // whoever writes has seen what stands above
	body := m.Content
	if len(m.Attachments) > 0 { // a picture says something too
		body += m.Attachments[0].Name
	}
	kind, d, why := s.route(m.Seq, m.Seq, body)
	e := event{eventKey: c.key(s.ID), message: m.ID, detail: received{Routing: kind, Reason: why}}
	out := Outcome{Message: m}
	if d != nil {
		e.dispatch = d.ID
		s.put(w, d, kind == domain.DispatchQueuedAt)
		if d.Status == domain.DispatchQueued {
			out.Due = d.DueAt
		}
	} else if s.Handling == domain.HandlingAgent && why != domain.SkipOptedOut && s.WaitDue.IsZero() && s.WaitedAt.IsZero() {
		s.await() // only people answer here
	}
	s.note(w, e)
	return out, nil
}

// received is the detail of a message_received event: what the line led to. The timeline shows it as an item of its own.
type received struct {
	Routing domain.TimelineKind `json:"routing"`
	Reason  domain.SkipReason   `json:"reason,omitempty"`
}

// admit counts a line against the widget's limits, or refuses it.
func (s *state) admit() error {
	if !s.widget.known {
		return nil
	}
	if s.widget.disabled {
		return &domain.Error{Kind: domain.Forbidden, Code: domain.CodeWidgetDisabled, Msg: "this chat is switched off"}
	}
	day := s.now.UTC().Truncate(24 * time.Hour)
	if !s.day.Equal(day) {
		s.day, s.dayCount = day, 0
	}
	if s.widget.dailyCap > 0 && s.dayCount >= s.widget.dailyCap {
		return &domain.Error{Kind: domain.Throttled, Code: domain.CodeDailyCap, RetryAfter: day.Add(24 * time.Hour).Sub(s.now),
			Msg: "that was the last message for today, please come back tomorrow"}
	}
	if s.now.Sub(s.windowStart) >= s.widget.rateWindow {
		s.windowStart, s.windowCount = s.now, 0
	}
	if s.windowCount >= s.widget.rateMessages {
		return &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: s.windowStart.Add(s.widget.rateWindow).Sub(s.now),
			Msg: "that is a lot of messages at once, please wait a moment"}
	}
	s.dayCount++
	s.windowCount++
	return nil
}

// AskForPerson is the visitor's wish to talk to a person. It changes nothing when one is wanted or there already.
type AskForPerson struct{}

func (AskForPerson) key(domain.ThreadID) eventKey { return eventKey{} }

func (AskForPerson) decide(s *state, w *rows) (Outcome, error) {
	if s.Handling == domain.HandlingWaiting || s.Handling == domain.HandlingHuman {
		return Outcome{}, nil
	}
	if s.Handling == domain.HandlingClosed {
		_ = s.move(domain.HandlingAgent, "")
		s.note(w, event{eventKey: happened(domain.Reopened)})
	}
	if s.LastSeq == 0 { // nothing was said yet, but from now on the team should see the thread
		s.LastMessageAt = s.now
	}
	s.handOff(w, "the visitor asked for a person", event{})
	return Outcome{}, nil
}

// handOff lets the thread wait for a person.
func (s *state) handOff(w *rows, reason string, e event) {
	_ = s.move(domain.HandlingWaiting, "") // allowed from agent and human, where callers come from
	s.await()
	s.skipOpen(w, domain.SkipHumanHandling)
	e.eventKey, e.detail = happened(domain.HandedOff), map[string]any{"reason": reason}
	s.note(w, e)
	s.tellChatwoot(w, ChatwootPost{Status: ChatwootOpen})
}

// Seen moves a read mark forward: the visitor's, or the team's when By is set.
type Seen struct {
	By  domain.UserID
	Seq int64
}

func (Seen) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Seen) decide(s *state, w *rows) (Outcome, error) {
	mark, who := &s.VisitorRead, "visitor"
	if c.By != "" {
		mark, who = &s.TeamRead, "team"
	}
	seq := min(c.Seq, s.LastSeq)
	if seq <= *mark {
		return Outcome{}, nil
	}
	*mark = seq
	s.note(w, event{eventKey: happened(domain.Read), detail: map[string]any{"by": who, "seq": seq, "user_id": c.By}})
	return Outcome{}, nil
}

// Rating is the visitor's mark for the conversation. It fails with Conflict while nothing was said.
type Rating struct {
	Score   int
	Comment string
}

func (Rating) key(domain.ThreadID) eventKey { return eventKey{} }

func (c Rating) decide(s *state, w *rows) (Outcome, error) {
	if s.LastSeq == 0 {
		return Outcome{}, domain.Conflictf("there is no conversation to rate yet")
	}
	s.note(w, event{eventKey: happened(domain.Rated), detail: map[string]any{"score": c.Score, "comment": clean(c.Comment)}})
	return Outcome{}, nil
}
