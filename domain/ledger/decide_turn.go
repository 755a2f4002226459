package ledger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/parley-chat/parley/domain"
)

// TurnRef is what a worker must still hold for the results of its turn to count: the dispatch under the same fencing token, and
// the thread under the epoch in which the turn began.
type TurnRef struct {
	Turn      domain.TurnID
	Dispatch  domain.DispatchID
	Token     int64
	Epoch     int64
	ToSeq     int64 // the turn answers its dispatch's lines up to here
	Agent     domain.AgentID
	AgentName string
}

// Said is an agent's message. Within its turn the same N is stored once, so that an append whose answer was lost can be sent again.
type Said struct {
	N           int
	Content     string
	ContentType domain.ContentType
	Citations   []domain.Citation
	Unfounded   []domain.Citation // what it also named and nothing in its turn bears out: on record, not shown
}

// Step is an entry of a turn's flight recorder.
type Step struct {
	Kind   domain.TimelineKind
	At     time.Duration // before the append, so that no node's clock enters the record
	Detail any
}

// TurnReply is a message an agent sends before its turn ends.
type TurnReply struct {
	TurnRef
	Said  Said
	Steps []Step
}

func (c TurnReply) key(domain.ThreadID) eventKey { return c.Said.key(c.TurnRef) }

func (s Said) key(t TurnRef) eventKey {
	return once("agent", domain.ReplyStored, fmt.Sprint(t.Turn, ":", s.N))
}

func (c TurnReply) decide(s *state, w *rows) (Outcome, error) {
	s.record(w, c.Turn, c.Steps)
	if why := s.stale(c.TurnRef); why != "" {
		s.suppress(w, c.TurnRef, &c.Said, why)
		return Outcome{Suppressed: true}, nil
	}
	if s.agent.suggest {
		s.suggest(w, c.TurnRef, c.Said)
		return Outcome{}, nil
	}
	m := s.answer(w, c.TurnRef, c.Said)
	s.open.Replies++
	s.put(w, s.open, false)
	return Outcome{Message: m}, nil
}

// TurnEnd is a turn that came off: its last reply, if it has not sent all of them before, and its wish for a person, if any.
type TurnEnd struct {
	TurnRef
	Said    *Said
	Handoff string // the reason for wanting a person; empty = none wanted
	Usage   json.RawMessage
	Steps   []Step
}

func (c TurnEnd) key(domain.ThreadID) eventKey {
	if c.Said == nil {
		return eventKey{}
	}
	return c.Said.key(c.TurnRef)
}

func (c TurnEnd) decide(s *state, w *rows) (Outcome, error) {
	s.record(w, c.Turn, c.Steps)
	if why := s.stale(c.TurnRef); why != "" {
		s.suppress(w, c.TurnRef, c.Said, why)
		w.turns = append(w.turns, turnRow{c.Turn, domain.TurnSuppressed, why, c.Usage, s.now})
		return Outcome{Suppressed: true}, nil
	}
	w.turns = append(w.turns, turnRow{c.Turn, domain.TurnDone, "", c.Usage, s.now})
	var out Outcome
	if s.agent.suggest && (c.Said != nil || s.drafts()) {
		return s.drafted(w, c), nil
	}
	if c.Said != nil {
		out.Message = s.answer(w, c.TurnRef, *c.Said)
		s.open.Replies++
	}
	if c.Handoff != "" {
		d := s.finish(w, domain.DispatchDone)
		s.handOff(w, c.Handoff, event{dispatch: d.ID, turn: c.Turn})
		return out, nil
	}
	out.Due = s.settle(w, c.ToSeq).Due // the visitor may have gone on while the agent was answering
	return out, nil
}

// drafted ends a turn whose words are for the team. The first draft calls a person; lines that came meanwhile get a draft of their own.
func (s *state) drafted(w *rows, c TurnEnd) (out Outcome) {
	if c.Said != nil {
		s.suggest(w, c.TurnRef, *c.Said)
	}
	d := s.finish(w, domain.DispatchDone)
	if s.Handling == domain.HandlingAgent {
		s.handOff(w, "the agent only suggests; a person decides", event{dispatch: d.ID, turn: c.Turn})
	}
	if d.ToSeq > c.ToSeq {
		out.Due = s.queue(w, c.ToSeq+1, d.ToSeq).Due
	}
	return out
}

// TurnRelease hands an unfinished turn back at once, without burning the attempt, because its worker is shutting down or its
// answer is no longer wanted.
type TurnRelease struct {
	TurnRef
	Why   string // empty = the worker is shutting down
	Steps []Step
}

func (TurnRelease) key(domain.ThreadID) eventKey { return eventKey{} }

func (c TurnRelease) decide(s *state, w *rows) (Outcome, error) {
	s.record(w, c.Turn, c.Steps)
	w.turns = append(w.turns, turnRow{c.Turn, domain.TurnLost, cmp.Or(c.Why, "handed back at shutdown"), nil, s.now})
	if s.stale(c.TurnRef) != "" {
		return Outcome{}, nil
	}
	d := s.open
	if d.Replies > 0 {
		return s.settle(w, c.ToSeq), nil
	}
	d.Status, d.DueAt, d.Attempts = domain.DispatchQueued, s.clock(), d.Attempts-1
	if d.Attempts == 0 {
		d.TriedAt = time.Time{}
	}
	s.put(w, d, false)
	return Outcome{Due: d.DueAt}, nil
}

// TurnSkip ends a dispatch whose guards no longer let an agent answer: since it was queued, somebody switched something off.
type TurnSkip struct {
	TurnRef
	Reason domain.SkipReason
}

func (TurnSkip) key(domain.ThreadID) eventKey { return eventKey{} }

func (c TurnSkip) decide(s *state, w *rows) (Outcome, error) {
	w.turns = append(w.turns, turnRow{c.Turn, domain.TurnSuppressed, "skipped: " + string(c.Reason), nil, s.now})
	if s.stale(c.TurnRef) == "" {
		s.skipOpen(w, c.Reason)
	}
	return Outcome{}, nil
}

// stale says why a turn's results no longer count; empty if they do.
func (s *state) stale(t TurnRef) string {
	switch {
	case s.Epoch != t.Epoch && !s.drafts():
		return "the conversation had changed hands"
	case s.open == nil || s.open.ID != t.Dispatch || s.open.Status != domain.DispatchRunning || s.open.Token != t.Token:
		return "another worker had taken the turn"
	}
	return ""
}

// finish ends the open dispatch.
func (s *state) finish(w *rows, status domain.DispatchStatus) *domain.Dispatch {
	d := s.open
	d.Status = status
	s.open = nil
	s.put(w, d, false)
	return d
}

// settle ends the open dispatch as answered up to a line and asks for another turn for the lines that came after it.
func (s *state) settle(w *rows, answered int64) Outcome {
	if d := s.finish(w, domain.DispatchDone); d.ToSeq > answered {
		return s.queue(w, answered+1, d.ToSeq)
	}
	return Outcome{}
}

// answer stores an agent's message.
func (s *state) answer(w *rows, t TurnRef, said Said) *domain.Message {
	m := s.say(w, domain.Message{
		Direction: domain.Outbound, AuthorID: string(t.Agent), Author: domain.Author{Kind: domain.AuthorAgent, Name: t.AgentName},
		Content: said.Content, ContentType: said.ContentType, Citations: said.Citations, TurnID: t.Turn,
	})
	s.Answered = max(s.Answered, t.ToSeq)
	s.calm()
	e := event{eventKey: said.key(t), message: m.ID, dispatch: t.Dispatch, turn: t.Turn}
	if len(said.Unfounded) > 0 {
		e.detail = map[string]any{"citations_dropped": said.Unfounded}
	}
	s.note(w, e)
	return m
}

// suppress records words that came too late.
func (s *state) suppress(w *rows, t TurnRef, said *Said, why string) {
	detail := map[string]any{"reason": why}
	if said != nil && !s.contact.erased {
		detail["content"] = clean(said.Content)
	}
	s.note(w, event{eventKey: happened(domain.ReplySuppressed), dispatch: t.Dispatch, turn: t.Turn, detail: detail})
}

// suggest records a draft for the person who answers.
func (s *state) suggest(w *rows, t TurnRef, said Said) {
	detail := map[string]any{"content": clean(said.Content), "content_type": said.ContentType, "citations": said.Citations}
	if len(said.Unfounded) > 0 {
		detail["citations_dropped"] = said.Unfounded
	}
	s.step(w, t.Turn, domain.SuggestionStored, detail)
	s.tellChatwoot(w, ChatwootPost{Note: &ChatwootNote{clean(t.AgentName), clean(said.Content), said.Citations}})
	s.Notes++ // whoever has the thread open is told
}

func (s *state) record(w *rows, turn domain.TurnID, steps []Step) {
	for _, st := range steps {
		if s.contact.erased {
			st.Detail = nil
		}
		w.steps = append(w.steps, step{turn, s, st.Kind, st.Detail, s.now.Add(-st.At)})
	}
}

func (s *state) step(w *rows, turn domain.TurnID, kind domain.TimelineKind, detail any) {
	w.steps = append(w.steps, step{turn, s, kind, detail, s.now})
}
