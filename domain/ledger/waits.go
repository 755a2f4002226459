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
SELECT u.org_id::text, u.id::text,
       CASE WHEN u.due <= u.now THEN coalesce((SELECT locale FROM sessions s WHERE s.contact_id = u.contact_id ORDER BY last_seen_at DESC LIMIT 1), '') ELSE '' END,
       extract(epoch FROM u.due - u.now)::float8
FROM (SELECT w.*, statement_timestamp() AS now FROM (` + waiting + `) AS w) AS u ORDER BY u.due LIMIT $1`
)

// DueWaits finds the threads in which somebody has waited for too long, and says in how long the next one will be; ok is false
// when nobody waits. Append what it finds.
func (l *Ledger) DueWaits(ctx context.Context, limit int) (due []Append, next time.Duration, ok bool, err error) {
	rows, err := l.hot.Query(ctx, waited, limit)
	if err != nil {
		return nil, 0, false, classify(err)
	}
	var a Append
	var w Waited
	var seconds float64
	_, err = pgx.ForEachRow(rows, []any{&a.OrgID, &a.ThreadID, &w.Locale, &seconds}, func() error {
		in := time.Duration(seconds * float64(time.Second))
		switch {
		case in <= 0:
			a.Change = w
			due = append(due, a)
		case !ok:
			next = in
		}
		ok = true
		return nil
	})
	return due, next, ok, classify(err)
}
