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
	Ailing      bool  // the agent's last turn failed
	AnsweredTo  int64 // an earlier turn that never ended has already answered the lines up to here; 0 = none has

	ahead func(context.Context) (Briefing, error) // nil: its briefing is not being read yet
}

// Pauses are the threads in which somebody is writing right now: what is due there waits for them, though not for long. They come
// from hints, so they may be incomplete.
type Pauses struct {
	Visitors []domain.ThreadID // the visitor goes on with the burst
	People   []domain.ThreadID // a person of the team is about to answer
}

// How long a dispatch waits at most, from its first line on, for somebody who writes.
const (
	pauseForVisitor = 10 * time.Second
	pauseForPerson  = 30 * time.Second
)

// asked walks the agents that have something queued, one index probe each. paused is what is not to be claimed just now.
const (
	asked = `asked AS (
    (SELECT agent_id FROM dispatches WHERE status = 'queued' ORDER BY agent_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.agent_id FROM dispatches d WHERE d.status = 'queued' AND d.agent_id > asked.agent_id ORDER BY d.agent_id LIMIT 1)
    FROM asked WHERE asked.agent_id IS NOT NULL
)`
	busy   = `(SELECT count(*) FROM dispatches r WHERE r.agent_id = asked.agent_id AND r.status = 'running')`
	paused = `(d.thread_id = ANY($1::text[]::uuid[]) AND d.first_at > statement_timestamp() - $2 * interval '1 millisecond'
        OR d.thread_id = ANY($3::text[]::uuid[]) AND d.first_at > statement_timestamp() - $4 * interval '1 millisecond')`
)

// Claims of all nodes come one after another: only so does each see how many turns its agents really have. It is held for one
// statement that waits for nobody.
const claimLock = `SELECT pg_advisory_xact_lock(7266211)`

// A claim takes the thread's lock, so nothing is decided in that thread meanwhile, and skips whatever is locked: a line is just
// being added, whose commit wakes the dispatchers again. It goes agent by agent, the one that has kept somebody waiting longest
// first; one that is full is passed over, and one whose circuit is open gets a single turn when its probe is due. A running
// dispatch whose lease ran out is taken over; its old turn is lost.
const claim = `
WITH RECURSIVE ` + asked + `, room AS (
    SELECT asked.agent_id, CASE WHEN h.opened_at IS NOT NULL THEN (h.probe_at <= statement_timestamp())::int
               ELSE greatest(coalesce(a.max_concurrent, 1) - ` + busy + `, 0) END AS free
    FROM asked LEFT JOIN agents a ON a.id = asked.agent_id LEFT JOIN agent_health h ON h.agent_id = asked.agent_id
    WHERE asked.agent_id IS NOT NULL
    ORDER BY (SELECT min(q.due_at) FROM dispatches q WHERE q.status = 'queued' AND q.agent_id = asked.agent_id)
), due AS MATERIALIZED (
    SELECT f.id, f.epoch FROM room CROSS JOIN LATERAL (
        SELECT d.id, t.epoch FROM dispatches d JOIN threads t ON t.id = d.thread_id
        WHERE d.status = 'queued' AND d.agent_id = room.agent_id AND d.due_at <= statement_timestamp() AND NOT ` + paused + `
        ORDER BY d.due_at LIMIT room.free
        FOR NO KEY UPDATE OF d, t SKIP LOCKED
    ) f
    LIMIT $5
), silent AS MATERIALIZED (
    SELECT d.id, t.epoch FROM dispatches d JOIN threads t ON t.id = d.thread_id
    WHERE d.status = 'running' AND d.lease_until < statement_timestamp()
    ORDER BY d.lease_until LIMIT $5
    FOR NO KEY UPDATE OF d, t SKIP LOCKED
), taken AS (
    SELECT * FROM (SELECT * FROM silent UNION ALL SELECT * FROM due) AS u LIMIT $5
), claimed AS (
    UPDATE dispatches d SET status = 'running', attempts = d.attempts + 1, token = d.token + 1, tried_at = coalesce(d.tried_at, clock_timestamp()),
           lease_until = clock_timestamp() + $6 * interval '1 millisecond', updated_at = clock_timestamp()
    FROM taken WHERE d.id = taken.id
    RETURNING d.*, taken.epoch
), lost AS (
    UPDATE turns t SET status = 'lost', error = 'its worker went silent', finished_at = clock_timestamp()
    FROM claimed WHERE t.dispatch_id = claimed.id AND t.status = 'running'
), begun AS (
    INSERT INTO turns (id, org_id, dispatch_id, thread_id, agent_id, attempt, token, epoch, to_seq, waited_ms, status, started_at)
    SELECT ids.id, c.org_id, c.id, c.thread_id, c.agent_id, c.attempts, c.token, c.epoch, least(c.to_seq, c.from_seq + $8 - 1),
           extract(epoch FROM clock_timestamp() - c.first_at) * 1000, 'running', clock_timestamp()
    FROM (SELECT *, row_number() OVER (ORDER BY due_at) AS n FROM claimed) c
    JOIN unnest($7::text[]::uuid[]) WITH ORDINALITY AS ids(id, n) ON ids.n = c.n
    RETURNING id, dispatch_id
), probing AS (
    UPDATE agent_health h SET probe_at = clock_timestamp() + $9 * interval '1 millisecond'
    FROM claimed WHERE h.agent_id = claimed.agent_id AND h.opened_at IS NOT NULL
)
SELECT begun.id::text, c.id::text, c.token, c.epoch, least(c.to_seq, c.from_seq + $8 - 1), c.agent_id::text, coalesce(a.name, ''), c.org_id::text, c.thread_id::text,
       c.from_seq, c.attempts, coalesce(a.max_attempts, 1), coalesce(h.failures, 0) > 0,
       CASE WHEN c.replies = 0 THEN 0 ELSE coalesce((
           SELECT max(t.to_seq) FROM turns t
           WHERE t.dispatch_id = c.id AND EXISTS (SELECT FROM messages m WHERE m.thread_id = c.thread_id AND m.turn_id = t.id)), 0) END
FROM claimed c JOIN begun ON begun.dispatch_id = c.id LEFT JOIN agents a ON a.id = c.agent_id LEFT JOIN agent_health h ON h.agent_id = c.agent_id`

// turnLines is how many lines one turn answers at most; a longer burst gets another turn for the rest.
const turnLines = 500

func (p Pauses) args() []any {
	ids := func(ts []domain.ThreadID) []string {
		return column(ts, func(t domain.ThreadID) string { return string(t) })
	}
	return []any{ids(p.Visitors), float64(pauseForVisitor.Milliseconds()), ids(p.People), float64(pauseForPerson.Milliseconds())}
}

// unbroken is a context for a claim that must not be cut short when ctx ends: the database would still carry it out, and nobody would work
// on what it took until the lease is over.
func unbroken(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), laneDeadline)
}

// Claim takes up to limit dispatches that are due, for the length of the lease, and begins their turns. Two claimers never get
// the same one, and no agent gets more turns than it may have at once. When ctx ends, a claim that has begun is still waited for.
func (l *Ledger) Claim(ctx context.Context, limit int, lease time.Duration, p Pauses) ([]Claim, error) {
	ids := make([]string, limit)
	for i := range ids {
		ids[i] = string(NewID[domain.TurnID]())
	}
	args := append(p.args(), limit, float64(lease.Milliseconds()), ids, turnLines, float64(domain.ProbeEvery.Milliseconds()))
	conn, err := l.writers.Acquire(ctx)
	if err != nil {
		return nil, classify(err)
	}
	defer conn.Release()
	ctx, cancel := unbroken(ctx)
	defer cancel()
	var cs []Claim
	b := &pgx.Batch{}
	b.Queue("begin")
	b.Queue(claimLock)
	b.Queue(claim, args...).Query(func(r pgx.Rows) (err error) {
		cs, err = pgx.CollectRows(r, scanClaim)
		return err
	})
	b.Queue("commit")
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		rollback(ctx, conn)
		return nil, classify(err)
	}
	return cs, nil
}

func scanClaim(r pgx.CollectableRow) (c Claim, err error) {
	err = r.Scan(&c.Turn, &c.Dispatch, &c.Token, &c.Epoch, &c.ToSeq, &c.Agent, &c.AgentName, &c.OrgID, &c.ThreadID,
		&c.FromSeq, &c.Attempt, &c.MaxAttempts, &c.Ailing, &c.AnsweredTo)
	return c, err
}

// A turn keeps its lease only as long as its result could still count. A dispatch that is locked is about to change and is left to the
// next renewal: to wait for it while holding the locks of others could deadlock with an append that wants those.
const renew = `
WITH held AS (
    SELECT * FROM unnest($1::text[]::uuid[], $2::bigint[], $3::bigint[]) AS held(id, token, epoch)
), ours AS MATERIALIZED (
    SELECT d.id FROM held JOIN dispatches d ON d.id = held.id AND d.token = held.token AND d.status = 'running'
    JOIN threads t ON t.id = d.thread_id AND t.epoch = held.epoch
), free AS MATERIALIZED (
    SELECT d.id FROM held JOIN dispatches d ON d.id = held.id AND d.token = held.token AND d.status = 'running'
    WHERE d.id IN (SELECT id FROM ours) FOR NO KEY UPDATE OF d SKIP LOCKED
), renewed AS (
    UPDATE dispatches d SET lease_until = clock_timestamp() + $4 * interval '1 millisecond' FROM free WHERE d.id = free.id
)
SELECT id::text FROM ours`

// Renew prolongs the leases of turns and returns the dispatches that are still theirs: the others were taken away, and work on
// them is wasted.
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

// fullPause is when to look again for an agent that had as many turns as it may have: one of another node's may have ended.
const fullPause = 250 * time.Millisecond

const nextDue = `
WITH RECURSIVE ` + asked + `, next AS (
    SELECT q.due_at, h.opened_at, h.probe_at, ` + busy + ` >= coalesce(a.max_concurrent, 1) AS "full"
    FROM asked LEFT JOIN agents a ON a.id = asked.agent_id LEFT JOIN agent_health h ON h.agent_id = asked.agent_id
    CROSS JOIN LATERAL (
        SELECT d.due_at FROM dispatches d WHERE d.status = 'queued' AND d.agent_id = asked.agent_id AND NOT ` + paused + ` ORDER BY d.due_at LIMIT 1
    ) q
)
SELECT extract(epoch FROM least(
    (SELECT min(CASE WHEN opened_at IS NOT NULL THEN greatest(due_at, probe_at)
                     WHEN "full" THEN greatest(due_at, clock_timestamp() + $5 * interval '1 millisecond') ELSE due_at END) FROM next),
    (SELECT min(lease_until) FROM dispatches WHERE status = 'running')) - clock_timestamp())::float8,
    coalesce((SELECT bool_or("full" AND due_at <= clock_timestamp()) FROM next), false)`

// Due is when a dispatch wants a worker next.
type Due struct {
	In   time.Duration
	Any  bool // false: none is queued or running
	Full bool // an agent with something due has as many turns as it may have: the end of one is the time to look again
}

// NextDue says in how long the next dispatch wants a worker: a queued one that comes due or a running one whose lease runs out.
// It is the database's clock that counts.
func (l *Ledger) NextDue(ctx context.Context, p Pauses) (d Due, err error) {
	var seconds *float64
	err = l.hot.QueryRow(ctx, nextDue, append(p.args(), float64(fullPause.Milliseconds()))...).Scan(&seconds, &d.Full)
	if err != nil || seconds == nil {
		return d, classify(err)
	}
	d.In, d.Any = time.Duration(*seconds*float64(time.Second)), true
	return d, nil
}
