package chat

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
)

// AgentAnswers reports whether an agent replies to visitors of a widget by itself: one is bound, enabled and autonomous, and the
// widget asks it.
func (s *Service) AgentAnswers(ctx context.Context, w domain.Widget) (bool, error) {
	_, answers, err := s.AnsweringAgent(ctx, w)
	return answers, err
}

// Available reports whether somebody or something is there to answer at a widget: an agent by itself, or people, whose hours it is.
// A person who has a thread is there whatever it says.
func (s *Service) Available(ctx context.Context, w domain.Widget) (bool, error) {
	if w.Hours.Open(time.Now()) {
		return true, nil
	}
	return s.AgentAnswers(ctx, w)
}

// AnsweringAgent is AgentAnswers with the name that visitors know the agent by; the name is empty when none answers.
func (s *Service) AnsweringAgent(ctx context.Context, w domain.Widget) (name string, answers bool, err error) {
	if w.AgentID == "" || !w.WebchatEnabled {
		return "", false, nil
	}
	a, err := s.ledger.Agent(ctx, w.OrgID, w.AgentID)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return "", false, nil
	}
	if err != nil || !a.Enabled || a.SendMode != domain.Autonomous {
		return "", false, err
	}
	return a.Name, true, nil
}
