package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

const claimTimes = `
SELECT extract(epoch FROM t.started_at - d.first_at)::float8
FROM turns t JOIN dispatches d ON d.id = t.dispatch_id JOIN threads th ON th.id = t.thread_id
WHERE t.org_id = $1::text::uuid AND th.widget_id = $2::text::uuid AND t.status = 'done' ORDER BY t.started_at`

// ClaimTimes reads, for measurements, how long the turns of a widget's threads took to begin, on the database's clock alone: from when
// their first line was decided on, which the line's commit follows at once.
func (l *Ledger) ClaimTimes(ctx context.Context, org domain.OrgID, widget domain.WidgetID) ([]time.Duration, error) {
	rows, err := l.hot.Query(ctx, claimTimes, string(org), string(widget))
	if err != nil {
		return nil, classify(err)
	}
	ts, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (time.Duration, error) {
		var seconds float64
		err := r.Scan(&seconds)
		return time.Duration(seconds * float64(time.Second)), err
	})
	return ts, classify(err)
}

// RawCommit says how long this database takes to make the smallest of writes durable: a few bytes of its log that no table holds.
// It is what other times are to be held against.
func (l *Ledger) RawCommit(ctx context.Context) (time.Duration, error) {
	conn, err := l.writers.Acquire(ctx)
	if err != nil {
		return 0, classify(err)
	}
	defer conn.Release()
	began := time.Now()
	_, err = conn.Exec(ctx, `SELECT pg_logical_emit_message(true, 'parley', 'bench')`)
	return time.Since(began), classify(err)
}
