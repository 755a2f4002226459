package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// Claim is a dispatch that a worker has taken, and the turn it has begun for it.
type Claim struct {
	TurnRef
	OrgID       domain.OrgID
	ThreadID    domain.ThreadID
	FromSeq     int64
	Attempt     int // counts from 1
	MaxAttempts int
	AnsweredTo  int64 // an earlier turn that never ended has already answered the lines up to here; 0 = none has
}

// A claim takes the thread's lock, so nothing is decided in that thread meanwhile, and skips whatever is locked: another claimer
// has it, or a line is just being added, whose commit wakes the dispatchers again. A running dispatch whose lease ran out is
// taken over; its old turn is lost.
const claim = `
WITH due AS (
    SELECT d.id, t.epoch, coalesce(a.name, '') AS name, coalesce(a.max_attempts, 1) AS max_attempts
    FROM dispatches d
    JOIN threads t ON t.id = d.thread_id
    LEFT JOIN agents a ON a.id = d.agent_id
    WHERE d.status = 'queued' AND d.due_at <= clock_timestamp() OR d.status = 'running' AND d.lease_until < clock_timestamp()
    ORDER BY d.due_at
    LIMIT $1
    FOR UPDATE OF d, t SKIP LOCKED
), claimed AS (
    UPDATE dispatches d SET status = 'running', attempts = d.attempts + 1, token = d.token + 1,
           lease_until = clock_timestamp() + $2 * interval '1 millisecond', updated_at = clock_timestamp()
    FROM due WHERE d.id = due.id
    RETURNING d.*, due.epoch, due.name, due.max_attempts
), lost AS (
    UPDATE turns t SET status = 'lost', error = 'its worker went silent', finished_at = clock_timestamp()
    FROM claimed WHERE t.dispatch_id = claimed.id AND t.status = 'running'
), begun AS (
    INSERT INTO turns (id, org_id, dispatch_id, thread_id, agent_id, attempt, token, epoch, to_seq, waited_ms, status, started_at)
    SELECT ids.id, c.org_id, c.id, c.thread_id, c.agent_id, c.attempts, c.token, c.epoch, least(c.to_seq, c.from_seq + $4 - 1),
           extract(epoch FROM clock_timestamp() - c.first_at) * 1000, 'running', clock_timestamp()
    FROM (SELECT *, row_number() OVER (ORDER BY due_at) AS n FROM claimed) c
    JOIN unnest($3::text[]::uuid[]) WITH ORDINALITY AS ids(id, n) ON ids.n = c.n
    RETURNING id, dispatch_id
)
SELECT begun.id::text, c.id::text, c.token, c.epoch, least(c.to_seq, c.from_seq + $4 - 1), c.agent_id::text, c.name, c.org_id::text, c.thread_id::text,
       c.from_seq, c.attempts, c.max_attempts,
       CASE WHEN c.replies = 0 THEN 0 ELSE coalesce((
           SELECT max(t.to_seq) FROM turns t
           WHERE t.dispatch_id = c.id AND EXISTS (SELECT FROM messages m WHERE m.thread_id = c.thread_id AND m.turn_id = t.id)), 0) END
FROM claimed c JOIN begun ON begun.dispatch_id = c.id`

// turnLines is how many lines one turn answers at most; a longer burst gets another turn for the rest.
const turnLines = 500

// Claim takes up to limit dispatches that are due, for the length of the lease, and begins their turns. Two claimers never get the same one.
func (l *Ledger) Claim(ctx context.Context, limit int, lease time.Duration) ([]Claim, error) {
	ids := make([]string, limit)
	for i := range ids {
		ids[i] = string(NewID[domain.TurnID]())
	}
	rows, err := l.writers.Query(ctx, claim, limit, float64(lease.Milliseconds()), ids, turnLines)
	if err != nil {
		return nil, classify(err)
	}
	cs, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c Claim, err error) {
		err = r.Scan(&c.Turn, &c.Dispatch, &c.Token, &c.Epoch, &c.ToSeq, &c.Agent, &c.AgentName, &c.OrgID, &c.ThreadID,
			&c.FromSeq, &c.Attempt, &c.MaxAttempts, &c.AnsweredTo)
		return c, err
	})
	return cs, classify(err)
}

// A turn keeps its lease only as long as its result could still count.
const renew = `
UPDATE dispatches d SET lease_until = clock_timestamp() + $4 * interval '1 millisecond'
FROM unnest($1::text[]::uuid[], $2::bigint[], $3::bigint[]) AS held(id, token, epoch), threads t
WHERE d.id = held.id AND d.token = held.token AND d.status = 'running' AND t.id = d.thread_id AND t.epoch = held.epoch
RETURNING d.id::text`

// Renew prolongs the leases of turns and returns the dispatches it could: the others were taken away, and work on them is wasted.
func (l *Ledger) Renew(ctx context.Context, held []TurnRef, lease time.Duration) (map[domain.DispatchID]bool, error) {
	rows, err := l.writers.Query(ctx, renew,
		column(held, func(t TurnRef) string { return string(t.Dispatch) }),
		column(held, func(t TurnRef) int64 { return t.Token }),
		column(held, func(t TurnRef) int64 { return t.Epoch }),
		float64(lease.Milliseconds()))
	if err != nil {
		return nil, classify(err)
	}
	kept := map[domain.DispatchID]bool{}
	var id domain.DispatchID
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { kept[id] = true; return nil })
	return kept, classify(err)
}

const nextDue = `
SELECT extract(epoch FROM least(
    (SELECT min(due_at) FROM dispatches WHERE status = 'queued'),
    (SELECT min(lease_until) FROM dispatches WHERE status = 'running')) - clock_timestamp())::float8`

// NextDue says in how long the next dispatch wants a worker: a queued one that comes due or a running one whose lease runs out.
// It is the database's clock that counts. ok is false when there is none.
func (l *Ledger) NextDue(ctx context.Context) (in time.Duration, ok bool, err error) {
	var seconds *float64
	err = l.readers.QueryRow(ctx, nextDue, pgx.QueryExecModeCacheStatement).Scan(&seconds)
	if err != nil || seconds == nil {
		return 0, false, classify(err)
	}
	return time.Duration(*seconds * float64(time.Second)), true, nil
}

// Turns whose dispatch has gone on without them: their worker died after the thread had changed hands, so no claim met them.
const sweepTurns = `
UPDATE turns t SET status = 'lost', error = 'its worker went silent', finished_at = clock_timestamp()
FROM dispatches d
WHERE t.status = 'running' AND d.id = t.dispatch_id AND (d.status <> 'running' OR d.token <> t.token)
  AND t.started_at < clock_timestamp() - interval '10 minutes'`

// SweepTurns marks turns that nobody will finish as lost.
func (l *Ledger) SweepTurns(ctx context.Context) error {
	_, err := l.writers.Exec(ctx, sweepTurns)
	return classify(err)
}
