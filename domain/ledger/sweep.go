package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// A turn whose dispatch has gone on without it is lost: its worker died after the thread had changed hands, so no claim met it.
const (
	loseTurns = `
UPDATE turns t SET status = 'lost', error = 'its worker went silent', finished_at = clock_timestamp()`
	goneOn = `(d.status <> 'running' OR d.token <> t.token)`

	sweepTurns = loseTurns + `
FROM dispatches d
WHERE t.status = 'running' AND t.started_at < statement_timestamp() - interval '10 minutes' AND d.id = t.dispatch_id AND ` + goneOn

	// The turns of the last hour, found agent by agent. An index of those that are running would find them sooner, but cost every turn
	// something: its end would be the first update of a turn that has to touch an index.
	sweepRecentTurns = loseTurns + `
FROM agents a CROSS JOIN LATERAL (
    SELECT r.id, r.dispatch_id FROM turns r
    WHERE r.agent_id = a.id AND r.started_at BETWEEN statement_timestamp() - interval '1 hour' AND statement_timestamp() - interval '10 minutes' AND r.status = 'running'
    OFFSET 0
) late JOIN dispatches d ON d.id = late.dispatch_id
WHERE t.id = late.id AND t.status = 'running' AND ` + goneOn
)

// SweepTurns marks turns that nobody will finish as lost. The first sweep of a handle reads all turns there are, those after it only the
// last hour's: it is called once a minute.
func (l *Ledger) SweepTurns(ctx context.Context) error {
	sweep := sweepTurns
	if l.turnsSwept.Load() {
		sweep = sweepRecentTurns
	}
	if _, err := l.NewRaw(sweep).Exec(ctx); err != nil {
		return classify(err)
	}
	l.turnsSwept.Store(true)
	return nil
}

// What an agent should have been asked and was not: the last line led to no skip and to no dispatch, as after a backup that was
// put back. What has waited for its agent for a day is given up.
const left = `
(SELECT t.org_id::text, t.id::text, ''
 FROM organisations o CROSS JOIN LATERAL (
    SELECT t.* FROM threads t WHERE t.org_id = o.id AND t.handling = 'agent' AND t.last_inbound > t.answered
       AND t.last_message_at > $3 AND t.last_message_at < statement_timestamp() - interval '1 minute' OFFSET 0
 ) AS t JOIN events e ON e.thread_id = t.id AND e.kind = 'message_received' AND e.detail->>'routing' <> 'dispatch_skipped'
 JOIN messages m ON m.id = e.message_id AND m.thread_id = t.id AND m.seq = t.last_inbound
 WHERE NOT EXISTS (SELECT FROM dispatches d WHERE d.thread_id = t.id AND (d.status IN ('queued', 'running') OR d.to_seq >= t.last_inbound))
 LIMIT $1)
UNION ALL
(SELECT d.org_id::text, d.thread_id::text, d.id::text FROM dispatches d JOIN agent_health h ON h.agent_id = d.agent_id AND h.opened_at IS NOT NULL
 WHERE d.status = 'queued' AND d.first_at < statement_timestamp() - $2 * interval '1 millisecond'
 LIMIT $1)`

// Left finds what a sweep is to append so that nobody waits in vain, up to limit of each kind. Until a sweep of a handle has found nothing,
// each looks at all threads that wait for an answer, of which there are many where no agent is bound; those after it only at what was said
// since an hour before the last one that found nothing.
func (l *Ledger) Left(ctx context.Context, limit int) ([]Append, error) {
	began := time.Now()
	rows, err := l.readers.Query(ctx, left, limit, float64(domain.HoldFor.Milliseconds()), time.UnixMilli(l.leftSwept.Load()).Add(-time.Hour))
	if err != nil {
		return nil, classify(err)
	}
	as, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (a Append, err error) {
		var dispatch domain.DispatchID
		err = r.Scan(&a.OrgID, &a.ThreadID, &dispatch)
		if a.Change = (Missed{}); dispatch != "" {
			a.Change = GiveUp{Dispatch: dispatch}
		}
		return a, err
	})
	if err == nil && len(as) == 0 {
		l.leftSwept.Store(began.UnixMilli())
	}
	return as, classify(err)
}

// Missed asks the agent for lines that it should have been asked for and was not.
type Missed struct{}

func (Missed) key(domain.ThreadID) eventKey { return eventKey{} }

func (Missed) decide(s *state, w *rows) (Outcome, error) {
	if s.Handling != domain.HandlingAgent || s.open != nil || s.LastInbound <= s.Answered {
		return Outcome{}, nil
	}
	return s.queue(w, s.Answered+1, s.LastInbound), nil
}
