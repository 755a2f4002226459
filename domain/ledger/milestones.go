package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// milestoneKinds are the events that stand between a conversation's messages: who has it, what the team noted, how it was rated.
var milestoneKinds = []domain.TimelineKind{
	domain.HandedOff, domain.HumanJoined, domain.HandedBack, domain.NoteAdded, domain.Rated, domain.Closed, domain.Reopened, domain.DispatchDied,
}

const milestones = `
SELECT created_at AS at, kind, message_id, dispatch_id, turn_id, detail
FROM events WHERE thread_id = ?0 AND org_id = ?1 AND created_at >= ?2 AND kind IN (?3) ORDER BY created_at, ord`

// Milestones reads the events since an instant that are shown between a thread's messages. They are part of its Timeline, which need not
// be read as a whole for them.
func (l *Ledger) Milestones(ctx context.Context, org domain.OrgID, thread domain.ThreadID, since time.Time) ([]domain.TimelineItem, error) {
	var rows []struct {
		At         time.Time
		Kind       domain.TimelineKind
		MessageID  domain.MessageID
		DispatchID domain.DispatchID
		TurnID     domain.TurnID
		Detail     json.RawMessage
	}
	if err := l.NewRaw(milestones, thread, org, since, bun.List(milestoneKinds)).Scan(ctx, &rows); err != nil {
		return nil, classify(err)
	}
	items := make([]domain.TimelineItem, len(rows))
	for i, r := range rows {
		items[i] = domain.TimelineItem{At: r.At.UTC(), Kind: r.Kind, MessageID: r.MessageID, DispatchID: r.DispatchID, TurnID: r.TurnID, Detail: r.Detail}
	}
	return items, nil
}
