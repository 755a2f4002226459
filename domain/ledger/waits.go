package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Somebody waits too long where a thread's own time has come, or where an open dispatch of an agent's thread is older than the
// widget allows.
const (
	waiting = `
    SELECT t.id, t.org_id, t.contact_id, t.wait_due AS due FROM threads t WHERE t.wait_due IS NOT NULL
    UNION ALL
    SELECT t.id, t.org_id, t.contact_id, d.first_at + w.handoff_after_seconds * interval '1 second'
    FROM dispatches d JOIN threads t ON t.id = d.thread_id JOIN widgets w ON w.id = t.widget_id
    WHERE d.status IN ('queued', 'running') AND d.replies = 0 AND t.handling = 'agent' AND t.offered_at IS NULL AND t.waited_at IS NULL`
	waited = `
SELECT u.org_id::text, u.id::text, coalesce((SELECT locale FROM sessions s WHERE s.contact_id = u.contact_id ORDER BY last_seen_at DESC LIMIT 1), '')
FROM (` + waiting + `) AS u WHERE u.due <= clock_timestamp() ORDER BY u.due LIMIT $1`
	nextWait = `SELECT extract(epoch FROM min(u.due) - clock_timestamp())::float8 FROM (` + waiting + `) AS u`
)

// DueWaits finds the threads in which somebody has waited for too long, and says in how long the next one will be; ok is false
// when nobody waits. Append what it finds.
func (l *Ledger) DueWaits(ctx context.Context, limit int) (due []Append, next time.Duration, ok bool, err error) {
	rows, err := l.hot.Query(ctx, waited, limit)
	if err != nil {
		return nil, 0, false, classify(err)
	}
	due, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (a Append, err error) {
		var w Waited
		err = r.Scan(&a.OrgID, &a.ThreadID, &w.Locale)
		a.Change = w
		return a, err
	})
	if err != nil || len(due) > 0 {
		return due, 0, len(due) > 0, classify(err)
	}
	var seconds *float64
	err = l.hot.QueryRow(ctx, nextWait).Scan(&seconds)
	if err != nil || seconds == nil {
		return nil, 0, false, classify(err)
	}
	return nil, time.Duration(*seconds * float64(time.Second)), true, nil
}
