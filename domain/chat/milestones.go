package chat

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Milestones reads what stands between a thread's messages since an instant: who took it, notes, ratings,
// and agents that gave up. Another organisation's thread has none.
func (s *Service) Milestones(ctx context.Context, org domain.OrgID, id domain.ThreadID, since time.Time) ([]domain.TimelineItem, error) {
	return s.ledger.Milestones(ctx, org, id, since)
}
