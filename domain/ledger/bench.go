package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// TurnTime is what a turn that came off took, on the database's clock alone: from when its first line was decided on, which the
// line's commit follows at once.
type TurnTime struct {
	Begun    time.Duration // to the claim
	Answered time.Duration // to when the turn's end was decided on
}

const turnTimes = `
SELECT extract(epoch FROM t.started_at - d.first_at)::float8, extract(epoch FROM t.finished_at - d.first_at)::float8
FROM turns t JOIN dispatches d ON d.id = t.dispatch_id JOIN threads th ON th.id = t.thread_id
WHERE t.org_id = $1::text::uuid AND th.widget_id = $2::text::uuid AND t.status = 'done' ORDER BY t.started_at`

// TurnTimes reads how long the turns of a widget's threads took, for measurements.
func (l *Ledger) TurnTimes(ctx context.Context, org domain.OrgID, widget domain.WidgetID) ([]TurnTime, error) {
	rows, err := l.hot.Query(ctx, turnTimes, string(org), string(widget))
	if err != nil {
		return nil, classify(err)
	}
	ts, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t TurnTime, err error) {
		var begun, answered float64
		err = r.Scan(&begun, &answered)
		return TurnTime{time.Duration(begun * float64(time.Second)), time.Duration(answered * float64(time.Second))}, err
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
