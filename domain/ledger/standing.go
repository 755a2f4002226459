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

// The organisation is compared as text, which no index knows, here and in the other prepared statements that find a thread by its id:
// while the tables are empty an index that leads through all threads of the organisation looks as good.
const standing = `SELECT t.id::text, t.last_seq, t.epoch, t.visitor_read, t.team_read, t.notes, t.handling, coalesce(t.assignee_id::text, ''), coalesce(u.name, ''),
       t.waited_at IS NOT NULL AND t.handling IN ('waiting', 'agent') AND coalesce(c.email, '') = '', coalesce(t.merged_into::text, '')
FROM threads t LEFT JOIN users u ON u.id = t.assignee_id LEFT JOIN contacts c ON c.id = t.contact_id
WHERE t.id = $1::text::uuid AND t.org_id::text = $2`

// Since reads where a thread stands and its messages after a cursor, oldest first, at most limit, in one round trip.
// The standing is read first: it is never ahead of messages that a full answer of fewer than limit would lack.
func (l *Ledger) Since(ctx context.Context, org domain.OrgID, thread domain.ThreadID, after int64, limit int) (Standing, []domain.Message, error) {
	var s Standing
	var ms []domain.Message
	b := &pgx.Batch{}
	b.Queue(standing, string(thread), string(org)).QueryRow(func(r pgx.Row) error {
		return r.Scan(&s.ID, &s.LastSeq, &s.Epoch, &s.VisitorRead, &s.TeamRead, &s.Notes, &s.Handling, &s.AssigneeID, &s.AssigneeName, &s.AskEmail, &s.MergedInto)
	})
	b.Queue(messagesAfter, string(thread), string(org), after, limit).Query(func(r pgx.Rows) error {
		for r.Next() {
			m, err := scanMessage(r)
			if err != nil {
				return err
			}
			ms = append(ms, m)
		}
		return r.Err()
	})
	conn, err := l.hot.Acquire(ctx)
	if err != nil {
		return s, nil, classify(err)
	}
	defer conn.Release()
	return s, ms, classify(conn.SendBatch(ctx, b).Close())
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
