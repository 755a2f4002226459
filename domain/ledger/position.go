package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// Position is how far a thread has come: whoever follows it compares.
type Position struct {
	ID          domain.ThreadID
	LastSeq     int64
	Epoch       int64
	VisitorRead int64
	TeamRead    int64
	Notes       int64
}

const (
	positions   = `SELECT id::text, last_seq, epoch, visitor_read, team_read, notes FROM threads WHERE id = ANY($1::text[]::uuid[])`
	latestLines = `SELECT o.id::text, coalesce((SELECT extract(epoch FROM last_message_at) * 1000000 FROM threads t
WHERE t.org_id = o.id AND t.last_message_at IS NOT NULL ORDER BY last_message_at DESC LIMIT 1), 0)::bigint
FROM unnest($1::text[]::uuid[]) AS o(id)`
)

// Positions reads how far many threads have come, and when something was last said in organisations: all in one transaction, as it is
// asked again and again. It asks nothing about nobody.
func (l *Ledger) Positions(ctx context.Context, threads []domain.ThreadID, orgs []domain.OrgID) (ps []Position, latest map[domain.OrgID]int64, err error) {
	b := &pgx.Batch{}
	if len(threads) > 0 {
		b.Queue(positions, column(threads, func(id domain.ThreadID) string { return string(id) })).Query(func(rows pgx.Rows) (err error) {
			ps, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (p Position, err error) {
				err = r.Scan(&p.ID, &p.LastSeq, &p.Epoch, &p.VisitorRead, &p.TeamRead, &p.Notes)
				return p, err
			})
			return err
		})
	}
	if len(orgs) > 0 {
		b.Queue(latestLines, column(orgs, func(id domain.OrgID) string { return string(id) })).Query(func(rows pgx.Rows) error {
			latest = make(map[domain.OrgID]int64, len(orgs))
			var org domain.OrgID
			var at int64
			_, err := pgx.ForEachRow(rows, []any{&org, &at}, func() error { latest[org] = at; return nil })
			return err
		})
	}
	if b.Len() == 0 {
		return nil, nil, nil
	}
	err = l.hot.SendBatch(ctx, b).Close()
	return ps, latest, classify(err)
}
