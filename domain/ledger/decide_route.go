package ledger

import (
	"time"

	"github.com/parley-chat/parley/domain"
)

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

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
