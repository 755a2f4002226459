package chat

import (
	"context"

	"github.com/parley-chat/parley/domain"
)

// AgentAnswers reports whether an agent replies to visitors of a widget by itself: one is bound, enabled and autonomous, and the
// widget asks it.
func (s *Service) AgentAnswers(ctx context.Context, w domain.Widget) (bool, error) {
	if w.AgentID == "" || !w.WebchatEnabled {
		return false, nil
	}
	a, err := s.ledger.Agent(ctx, w.OrgID, w.AgentID)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return false, nil
	}
	return a.Enabled && a.SendMode == domain.Autonomous, err
}
