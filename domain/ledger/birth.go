package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/parley-chat/parley/domain"
)

// Births are how this node takes turns in the very transaction that stores what they are to answer: one commit less, and nobody to
// wake. None of its functions may block.
type Births struct {
	Lease   time.Duration
	Lines   int                        // of the thread that a turn is to see
	Reserve func(domain.ThreadID) bool // a worker for a turn of this thread; false: none is free, or somebody writes there
	Release func()                     // a reserved worker is not needed
	Begin   func(Claim)                // the turn is this node's, and committed
}

// OnBirth lets turns begin with what they answer, where that is safe. Call it once, before the first append.
func (l *Ledger) OnBirth(b Births) { l.births = &b }

// room reads how many more turns each agent may have. An agent for which a dispatch is already due, or whose circuit is open, gets none:
// what has waited longer comes first, and when to probe an agent is decided by the claims.
const room = `
SELECT a.id::text, a.name, a.max_attempts, coalesce(h.failures, 0) > 0,
       a.max_concurrent - (SELECT count(*) FROM dispatches r WHERE r.agent_id = a.id AND r.status = 'running')
FROM agents a LEFT JOIN agent_health h ON h.agent_id = a.id
WHERE a.id = ANY($1::text[]::uuid[]) AND h.opened_at IS NULL
  AND NOT EXISTS (SELECT FROM dispatches q WHERE q.agent_id = a.id AND q.status = 'queued' AND q.due_at <= statement_timestamp())`

// The lock of the claims keeps the count of running turns true until the commit. If it is taken, the turn is left to the claims. If no
// agent has room, it is not even tried: it would be held until the commit for nothing, and the claims would wait for it.
const tryClaimLock = `SELECT pg_try_advisory_xact_lock(7266211) WHERE EXISTS (SELECT FROM (` + room + `) AS r(id, name, attempts, ailing, free) WHERE r.free > 0)`

type agentRoom struct {
	name        string
	maxAttempts int
	ailing      bool
	free        int
}

// bear begins the turns of dispatches that this batch opens and that are due at once, as far as there are workers and their agents
// have room. Afterwards born hands the reserved workers their turns if the batch was stored, and unborn gives them back if it was not.
func (l *Ledger) bear(ctx context.Context, conn *pgxpool.Conn, batch []*pending, touched map[domain.ThreadID]*state, w *rows) error {
	if l.births == nil || l.first.crowd() { // who waits for an acknowledgement comes first
		return nil
	}
	var due []*dispatchRow
	var agents []string
	for _, d := range w.dispatches {
		s := touched[d.ThreadID]
		if d.fresh && d.Status == domain.DispatchQueued && s.agent.id == d.AgentID && !d.DueAt.After(s.clock()) && l.births.Reserve(d.ThreadID) {
			due, agents = append(due, d), append(agents, string(d.AgentID))
		}
	}
	if len(due) == 0 {
		return nil
	}
	rooms, err := readRoom(ctx, conn, agents)
	for _, d := range due {
		r := rooms[d.AgentID]
		if err != nil || r == nil || r.free < 1 {
			l.births.Release()
			continue
		}
		r.free--
		c := l.birth(touched[d.ThreadID], d, r)
		c.ahead = l.briefAhead(c, touched[d.ThreadID].Handling, w.said(d.ThreadID))
		w.births = append(w.births, c)
		for _, p := range batch {
			if p.ThreadID == d.ThreadID && !p.out.Due.IsZero() {
				p.out.Due = d.LeaseUntil // when to look whether it is still alive
			}
		}
	}
	return err
}

// said are the lines that a batch adds to a thread.
func (w *rows) said(thread domain.ThreadID) []domain.Message {
	var ms []domain.Message
	for _, m := range w.messages {
		if m.ThreadID == thread {
			ms = append(ms, *m)
		}
	}
	return ms
}

func readRoom(ctx context.Context, conn *pgxpool.Conn, agents []string) (map[domain.AgentID]*agentRoom, error) {
	rooms := map[domain.AgentID]*agentRoom{}
	var locked bool
	b := &pgx.Batch{}
	b.Queue(tryClaimLock, agents).Query(func(r pgx.Rows) (err error) {
		_, err = pgx.ForEachRow(r, []any{&locked}, func() error { return nil })
		return err
	})
	b.Queue(room, agents).Query(func(r pgx.Rows) error {
		var id domain.AgentID
		var a agentRoom
		_, err := pgx.ForEachRow(r, []any{&id, &a.name, &a.maxAttempts, &a.ailing, &a.free}, func() error {
			kept := a
			rooms[id] = &kept
			return nil
		})
		return err
	})
	if err := conn.SendBatch(ctx, b).Close(); err != nil || !locked {
		return nil, err
	}
	return rooms, nil
}

// birth takes a dispatch as a claim would.
func (l *Ledger) birth(s *state, d *dispatchRow, r *agentRoom) Claim {
	d.Status, d.Attempts, d.Token, d.lease = domain.DispatchRunning, 1, 1, l.births.Lease
	d.TriedAt, d.LeaseUntil = s.clock(), s.clock().Add(d.lease)
	return Claim{
		TurnRef: TurnRef{
			Turn: NewID[domain.TurnID](), Dispatch: d.ID, Token: d.Token, Epoch: s.Epoch, ToSeq: min(d.ToSeq, d.FromSeq+turnLines-1),
			Agent: d.AgentID, AgentName: r.name,
		},
		OrgID: d.OrgID, ThreadID: d.ThreadID, FromSeq: d.FromSeq, Attempt: d.Attempts, MaxAttempts: r.maxAttempts, Ailing: r.ailing,
	}
}

var insertTurns = newBulk(`
INSERT INTO turns (id, org_id, dispatch_id, thread_id, agent_id, attempt, token, epoch, to_seq, waited_ms, status, started_at)
SELECT u.id, u.org_id, u.dispatch_id, u.thread_id, u.agent_id, u.attempt, u.token, u.epoch, u.to_seq, 0, 'running', clock_timestamp()
FROM {rows}`,
	as("id", "uuid", func(c Claim) string { return string(c.Turn) }),
	as("org_id", "uuid", func(c Claim) string { return string(c.OrgID) }),
	as("dispatch_id", "uuid", func(c Claim) string { return string(c.Dispatch) }),
	as("thread_id", "uuid", func(c Claim) string { return string(c.ThreadID) }),
	as("agent_id", "uuid", func(c Claim) string { return string(c.Agent) }),
	as("attempt", "int", func(c Claim) int { return c.Attempt }),
	as("token", "bigint", func(c Claim) int64 { return c.Token }),
	as("epoch", "bigint", func(c Claim) int64 { return c.Epoch }),
	as("to_seq", "bigint", func(c Claim) int64 { return c.ToSeq }),
)

// born hands the batch's turns to whoever runs them; unborn gives the workers back, because the batch was not stored.
func (l *Ledger) born(cs []Claim) {
	for _, c := range cs {
		l.births.Begin(c)
	}
}

func (l *Ledger) unborn(cs []Claim) {
	for range cs {
		l.births.Release()
	}
}
