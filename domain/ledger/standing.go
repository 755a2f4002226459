package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// Standing is who has a thread and how far everybody has come in it.
type Standing struct {
	Position
	Handling     domain.Handling
	AssigneeID   domain.UserID
	AssigneeName string
	AskEmail     bool            // the contact has waited for too long, and we do not know where else to reach them
	MergedInto   domain.ThreadID // its lines are that thread's now
}

// LatestLines reads when something was last said in each organisation.
func (l *Ledger) LatestLines(ctx context.Context, orgs []domain.OrgID) (map[domain.OrgID]int64, error) {
	rows, err := l.hot.Query(ctx, `SELECT o.id::text, coalesce((SELECT extract(epoch FROM last_message_at) * 1000000 FROM threads t
WHERE t.org_id = o.id AND t.last_message_at IS NOT NULL ORDER BY last_message_at DESC LIMIT 1), 0)::bigint
FROM unnest($1::text[]::uuid[]) AS o(id)`, column(orgs, func(o domain.OrgID) string { return string(o) }))
	if err != nil {
		return nil, classify(err)
	}
	latest := map[domain.OrgID]int64{}
	var org domain.OrgID
	var at int64
	_, err = pgx.ForEachRow(rows, []any{&org, &at}, func() error { latest[org] = at; return nil })
	return latest, classify(err)
}
