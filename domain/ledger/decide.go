package ledger

import (
	"time"

	"github.com/parley-chat/parley/domain"
)

// state is all a decision may look at: a thread, locked, and what hangs on it.
type state struct {
	domain.Thread
	windowStart time.Time // of the rate limit
	windowCount int
	day         time.Time // of the daily cap, UTC midnight
	dayCount    int

	contact contactState
	widget  widgetState
	agent   agentState
	open    *domain.Dispatch // the thread's queued or running dispatch, if any

	mails   bool              // there is a way to send mail
	hooked  bool              // the organisation has webhooks
	stopped domain.DispatchID // a dispatch with a running turn that this change has ended

	now   time.Time     // the database's clock when the lock was held; never before the thread's last change
	ahead time.Duration // how far now is ahead of that clock, if it was set back; due times go by the clock itself
	known map[eventKey]domain.Message

	events  map[eventKey]domain.EventID // of the batch's inbound events, those that are recorded
	channel channelState

	waiting map[domain.AttachmentID]*waitingFile // the files that changes of this batch want to take
}

type contactState struct {
	known    bool
	optedOut bool
	name     string
	email    string
	erased   bool // nothing they say or are told is kept any more
}

// channelState is what the organisation has set up for the thread's channel, if it is not ours.
type channelState struct {
	id      domain.ChannelID // empty: nothing
	kind    domain.ChannelKind
	enabled bool
	replies bool // what we say goes to its reply URL

	fallback string // what the contact is told when the agent has failed for good
}

type widgetState struct {
	known          bool
	disabled       bool // switched off: takes nothing from visitors
	webchatEnabled bool
	dailyCap       int
	rateMessages   int
	rateWindow     time.Duration
	fallback       string
	title          string
	locale         string
	handoffAfter   time.Duration
	waitingText    string
}

type agentState struct {
	id          domain.AgentID // empty: none is bound
	orgID       domain.OrgID
	name        string
	enabled     bool
	suggest     bool
	settle      time.Duration
	maxAttempts int
	giveUp      time.Duration // after the first attempt began
}

// clock is the database's, by which things come due.
func (s *state) clock() time.Time { return s.now.Add(-s.ahead) }

// decide applies one change. It is pure but for fresh ids.
func decide(s *state, w *rows, c Change) (Outcome, error) {
	if s.MergedInto != "" {
		return Outcome{}, joined()
	}
	if s.contact.erased && visitors(c) { // from a socket that does not know it yet
		return Outcome{}, &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeSessionExpired, Msg: "this session has ended, open a new one"}
	}
	if key := c.key(s.ID); key.external != "" {
		if first, ok := s.known[key]; ok {
			w.events = append(w.events, event{
				id: NewID[domain.EventID](), thread: s, message: first.ID, at: s.now,
				// one record a message however often it comes again: the key makes the rest fall away
				eventKey: eventKey{s.Channel, string(domain.DuplicateIgnored), string(first.ID)},
				detail:   map[string]any{"client_id": first.ClientID},
			})
			return Outcome{Before: s.LastSeq, Thread: s.Thread, Message: &first, Duplicate: true}, nil
		}
	}
	was, open, replies := s.Thread, s.open, len(w.replies)
	s.stopped = ""
	out, err := c.decide(s, w)
	if err != nil {
		return Outcome{}, err
	}
	if out.Message != nil {
		if key := c.key(s.ID); key.external != "" {
			s.known[key] = *out.Message
		}
	}
	s.UpdatedAt = s.now
	out.At = s.clock()
	out.Leaves = out.Leaves || len(w.replies) > replies
	out.Before, out.Thread, out.Stopped = was.LastSeq, s.Thread, s.stopped
	out.Moved = out.Moved || s.Epoch != was.Epoch || s.VisitorRead != was.VisitorRead || s.TeamRead != was.TeamRead || s.Notes != was.Notes
	switch {
	case s.WaitDue != was.WaitDue:
		out.Wait = s.WaitDue
	case s.open != nil && s.open != open && s.widget.known:
		out.Wait = s.clock().Add(s.widget.handoffAfter)
	}
	return out, nil
}

// visitors reports whether a change is one of the contact's own.
func visitors(c Change) bool {
	switch c.(type) {
	case Line, Question, Form, AskForPerson, Rating:
		return true
	}
	return false
}

// say appends a public line or a note to the thread, and sends what is ours over the thread's channel.
func (s *state) say(w *rows, m domain.Message) *domain.Message {
	said := s.keep(w, m)
	if m.Direction == domain.Outbound && s.channel.enabled && s.channel.replies {
		w.replies = append(w.replies, channelReply{s, said.ID, repliedMessage{said.ID}})
	}
	s.mayBeMissed(w, said)
	return said
}

// keep appends a line to the thread under the next seq.
func (s *state) keep(w *rows, m domain.Message) *domain.Message {
	s.LastSeq++
	m.ID, m.OrgID, m.ThreadID, m.Seq, m.CreatedAt = NewID[domain.MessageID](), s.OrgID, s.ID, s.LastSeq, s.now
	if m.ContentType == "" {
		m.ContentType = domain.Text
	}
	m.Content, m.Author.Name = clean(m.Content), clean(m.Author.Name)
	if m.Direction == domain.Inbound {
		s.LastInbound = m.Seq
	}
	s.LastMessageAt = s.now
	w.messages = append(w.messages, &m)
	return &m
}

// note writes an event into the thread's ledger. Without an external id it is one that cannot come twice.
func (s *state) note(w *rows, e event) domain.EventID {
	e.thread, e.at = s, s.now
	if e.id == "" {
		e.id = NewID[domain.EventID]()
	}
	if e.channel == "" {
		e.channel = s.Channel
	}
	if e.external == "" {
		e.external = string(e.id)
	}
	w.events = append(w.events, e)
	return e.id
}

// once is the key of a change that is recorded once, however often it comes.
func once(channel string, kind domain.TimelineKind, external string) eventKey {
	return eventKey{channel, string(kind), clean(external)}
}

// happened is the key of what cannot come twice.
func happened(kind domain.TimelineKind) eventKey { return eventKey{kind: string(kind)} }

// move changes who handles the thread and raises the epoch.
func (s *state) move(to domain.Handling, assignee domain.UserID) error {
	if !s.Handling.May(to) {
		return domain.Conflictf("the conversation is %s and cannot become %s", s.Handling, to)
	}
	s.Handling, s.AssigneeID = to, assignee
	s.Epoch++
	s.calm()
	return nil
}
