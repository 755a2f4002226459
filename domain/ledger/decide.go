package ledger

import (
	"encoding/json"
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
	ahead time.Duration // how far that puts now before the clock, which was set back; what is to come due goes by the clock
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

// rows is what a batch writes, in the order in which it was decided.
type rows struct {
	messages   []*domain.Message
	events     []event
	dispatches []*dispatchRow
	turns      []turnRow
	steps      []step
	mails      []mailToOwners
	births     []Claim  // turns that begin with this batch
	labelled   []*state // threads with other labels
	tellings   []telling
	replies    []channelReply
}

type event struct {
	id       domain.EventID
	thread   *state
	eventKey // kind is the timeline's
	message  domain.MessageID
	dispatch domain.DispatchID
	turn     domain.TurnID
	detail   any
	at       time.Time
}

// dispatchRow is a dispatch to write: inserted if fresh, else updated.
type dispatchRow struct {
	*domain.Dispatch
	fresh bool
	at    time.Time
	lease time.Duration // of a birth
}

type turnRow struct {
	id     domain.TurnID
	status domain.TurnStatus
	err    string
	usage  json.RawMessage
	at     time.Time
}

type step struct {
	turn   domain.TurnID
	thread *state
	kind   domain.TimelineKind
	detail any
	at     time.Time
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
	e.id, e.thread, e.at = NewID[domain.EventID](), s, s.now
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

// skipOpen ends the open dispatch because its answer is not wanted any more. A turn that is still running is stopped, or finds
// that out when it wants to store its reply.
func (s *state) skipOpen(w *rows, why domain.SkipReason) {
	if s.open == nil || why == domain.SkipHumanHandling && s.drafts() {
		return
	}
	s.dropOpen(w, why)
}

// dropOpen is skipOpen even where a draft was still wanted.
func (s *state) dropOpen(w *rows, why domain.SkipReason) {
	if s.open == nil {
		return
	}
	d := s.open
	s.open = nil
	if d.Status == domain.DispatchRunning {
		s.stopped = d.ID
	}
	d.SkipReason = why
	d.Status = domain.DispatchSkipped
	s.put(w, d, false)
	s.note(w, event{eventKey: happened(domain.DispatchSkip), dispatch: d.ID, detail: map[string]any{"reason": why}})
}

// put notes that a dispatch is to be written. One that this batch made and then changed is written once, as it stands at the end.
func (s *state) put(w *rows, d *domain.Dispatch, fresh bool) {
	for _, r := range w.dispatches {
		if r.Dispatch == d {
			r.at = s.now
			return
		}
	}
	w.dispatches = append(w.dispatches, &dispatchRow{Dispatch: d, fresh: fresh, at: s.now})
}

// route decides what inbound lines from..to lead to: a turn (queued or part of the open dispatch) or a skip with its reason.
func (s *state) route(from, to int64, body string) (kind domain.TimelineKind, d *domain.Dispatch, why domain.SkipReason) {
	if why := s.guard(body); why != "" {
		return domain.DispatchSkip, nil, why
	}
	due := s.clock().Add(s.agent.settle)
	if d := s.open; d != nil {
		d.ToSeq = to
		if d.Status == domain.DispatchQueued && d.Attempts == 0 {
			d.DueAt = earlier(due, d.FirstAt.Add(max(domain.MaxSettle, s.agent.settle)))
		}
		return domain.DispatchExtended, d, ""
	}
	s.open = &domain.Dispatch{
		ID: NewID[domain.DispatchID](), OrgID: s.OrgID, ThreadID: s.ID, AgentID: s.agent.id, Status: domain.DispatchQueued,
		FromSeq: from, ToSeq: to, FirstAt: s.clock(), DueAt: due, CreatedAt: s.now,
	}
	return domain.DispatchQueuedAt, s.open, ""
}

// guard runs the routing guards in their order and returns the first reason not to ask an agent.
func (s *state) guard(body string) domain.SkipReason {
	switch {
	case s.agent.id != "" && s.agent.orgID != s.OrgID:
		return domain.SkipCrossOrg
	case !s.contact.known:
		return domain.SkipContactUnresolved
	case s.contact.optedOut:
		return domain.SkipOptedOut
	case body == "":
		return domain.SkipEmptyBody
	case s.widget.known && !s.widget.webchatEnabled, s.channel.id != "" && !s.channel.enabled:
		return domain.SkipTriggerOff
	case s.agent.id == "":
		return domain.SkipNoAgent
	case !s.agent.enabled:
		return domain.SkipAgentDisabled
	case s.Handling != domain.HandlingAgent && !s.drafts():
		return domain.SkipHumanHandling
	}
	return ""
}

// drafts reports whether people answer here and the agent goes on to suggest what they could say, which nobody else sees.
func (s *state) drafts() bool {
	return s.agent.suggest && (s.Handling == domain.HandlingWaiting || s.Handling == domain.HandlingHuman)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
