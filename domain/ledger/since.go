package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// newsBatch is how many threads are read together: each may have a whole page to tell.
const newsBatch = 64

// sinceQuery asks where a thread stands and for what came after a seq, at most limit lines.
type sinceQuery struct {
	org    domain.OrgID
	thread domain.ThreadID
	after  int64
	limit  int
}

type sinceAnswer struct {
	found    bool
	standing Standing
	messages []domain.Message
}

// The queries are looked up one by one, whatever the planner thinks of how many threads there are. The organisation is compared as text,
// which no index knows, here and in the other prepared statements that find a thread by its id: while the tables are empty an index that
// leads through all threads of the organisation looks as good.
const (
	standings = `SELECT q.n, t.id::text, t.last_seq, t.epoch, t.visitor_read, t.team_read, t.notes, t.handling, coalesce(t.assignee_id::text, ''),
       coalesce((SELECT u.name FROM users u WHERE u.id = t.assignee_id), ''),
       t.waited_at IS NOT NULL AND t.handling IN ('waiting', 'agent') AND coalesce((SELECT c.email FROM contacts c WHERE c.id = t.contact_id), '') = '',
       coalesce(t.merged_into::text, '')
FROM unnest($1::text[]::uuid[], $2::text[], $3::bigint[]) AS q(thread, org, n)
CROSS JOIN LATERAL (SELECT * FROM threads t WHERE t.id = q.thread AND t.org_id::text = q.org OFFSET 0) t`
	messagesSince = `SELECT q.n, m.*
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS q(thread, org, n, after, most)
CROSS JOIN LATERAL (SELECT ` + messageColumns + ` FROM messages m
                    WHERE m.thread_id = q.thread AND m.org_id = q.org AND m.seq > q.after ORDER BY m.seq LIMIT q.most) m
ORDER BY q.n, m.seq`
)

// Since reads where a thread stands and its messages after a cursor, oldest first, at most limit, in one round trip.
// The standing is read first: it is never ahead of messages that a full answer of fewer than limit would lack. Threads that grow at the
// same time are read together.
func (l *Ledger) Since(ctx context.Context, org domain.OrgID, thread domain.ThreadID, after int64, limit int) (Standing, []domain.Message, error) {
	a, err := l.news.get(ctx, sinceQuery{org, thread, after, limit})
	if err == nil && !a.found {
		err = classify(pgx.ErrNoRows)
	}
	return a.standing, a.messages, err
}

func (l *Ledger) since(ctx context.Context, qs []sinceQuery) ([]sinceAnswer, error) {
	answers, ns := make([]sinceAnswer, len(qs)), make([]int64, len(qs))
	for n := range ns {
		ns[n] = int64(n)
	}
	threads := column(qs, func(q sinceQuery) string { return string(q.thread) })
	orgs := column(qs, func(q sinceQuery) string { return string(q.org) })
	b := &pgx.Batch{}
	b.Queue(standings, threads, orgs, ns).Query(func(r pgx.Rows) error {
		var n int64
		var s Standing
		_, err := pgx.ForEachRow(r, []any{&n, &s.ID, &s.LastSeq, &s.Epoch, &s.VisitorRead, &s.TeamRead, &s.Notes, &s.Handling, &s.AssigneeID, &s.AssigneeName,
			&s.AskEmail, &s.MergedInto}, func() error {
			answers[n].found, answers[n].standing = true, s
			return nil
		})
		return err
	})
	b.Queue(messagesSince, threads, orgs, ns, column(qs, func(q sinceQuery) int64 { return q.after }), column(qs, func(q sinceQuery) int64 { return int64(q.limit) })).
		Query(func(r pgx.Rows) error {
			var n int64
			for r.Next() {
				m, err := scanMessage(r, &n)
				if err != nil {
					return err
				}
				answers[n].messages = append(answers[n].messages, m)
			}
			return r.Err()
		})
	conn, err := l.hot.Acquire(ctx)
	if err != nil {
		return nil, classify(err)
	}
	defer conn.Release()
	return answers, classify(conn.SendBatch(ctx, b).Close())
}
