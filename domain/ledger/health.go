package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// The row is the agent's circuit breaker: each failure counts up, and the one that reaches the threshold opens it. While it is open every
// failure puts off the next probe.
const agentFailed = `
WITH told AS (
    INSERT INTO agent_health AS h (agent_id, org_id, failures, last_error, last_error_at, opened_at, probe_at)
    SELECT id, org_id, 1, $3, clock_timestamp(), CASE WHEN $4 = 1 THEN clock_timestamp() END, CASE WHEN $4 = 1 THEN clock_timestamp() + $5 * interval '1 millisecond' END
    FROM agents WHERE id = $1::text::uuid AND org_id = $2::text::uuid
    ON CONFLICT (agent_id) DO UPDATE SET failures = h.failures + 1, last_error = excluded.last_error, last_error_at = excluded.last_error_at,
        opened_at = CASE WHEN h.failures + 1 >= $4 THEN coalesce(h.opened_at, clock_timestamp()) ELSE h.opened_at END,
        probe_at = CASE WHEN h.failures + 1 >= $4 OR h.opened_at IS NOT NULL THEN clock_timestamp() + $5 * interval '1 millisecond' END
    RETURNING h.*
), noted AS (
    INSERT INTO agent_events (id, org_id, agent_id, kind, detail, created_at)
    SELECT $6::text::uuid, org_id, agent_id, 'circuit_opened', jsonb_build_object('error', last_error, 'failures', failures), opened_at
    FROM told WHERE failures = $4
)
SELECT opened_at IS NOT NULL, failures = $4 FROM told`

// AgentFailed counts a failed turn for which its agent is to blame. open reports whether the agent's circuit is open now, and opened
// whether this failure has opened it.
func (l *Ledger) AgentFailed(ctx context.Context, org domain.OrgID, id domain.AgentID, reason string) (open, opened bool, err error) {
	err = l.writers.QueryRow(ctx, agentFailed, string(id), string(org), clean(reason), domain.CircuitThreshold,
		float64(domain.ProbeEvery.Milliseconds()), string(NewID[domain.EventID]())).Scan(&open, &opened)
	if err == pgx.ErrNoRows { // the agent is gone
		return false, false, nil
	}
	return open, opened, classify(err)
}

const agentAnswered = `
WITH was AS (
    SELECT agent_id, org_id, opened_at FROM agent_health WHERE agent_id = $1::text::uuid FOR UPDATE
), told AS (
    INSERT INTO agent_health AS h (agent_id, org_id, last_success_at)
    SELECT id, org_id, clock_timestamp() FROM agents WHERE id = $1::text::uuid AND org_id = $2::text::uuid
    ON CONFLICT (agent_id) DO UPDATE SET failures = 0, opened_at = NULL, probe_at = NULL, last_success_at = excluded.last_success_at
), noted AS (
    INSERT INTO agent_events (id, org_id, agent_id, kind, detail, created_at)
    SELECT $3::text::uuid, org_id, agent_id, 'circuit_closed', jsonb_build_object('open_seconds', round(extract(epoch FROM clock_timestamp() - opened_at))), clock_timestamp()
    FROM was WHERE opened_at IS NOT NULL
)
SELECT coalesce((SELECT opened_at IS NOT NULL FROM was), false)`

// AgentAnswered notes that an agent answers, which closes its circuit. closed tells that it was open.
func (l *Ledger) AgentAnswered(ctx context.Context, org domain.OrgID, id domain.AgentID) (closed bool, err error) {
	err = l.writers.QueryRow(ctx, agentAnswered, string(id), string(org), string(NewID[domain.EventID]())).Scan(&closed)
	return closed, classify(err)
}

const agentHealth = `
SELECT h.agent_id::text, h.failures, h.opened_at, h.probe_at, h.last_success_at, h.last_error, h.last_error_at,
       (SELECT count(*) FROM dispatches d WHERE d.agent_id = h.agent_id AND d.status = 'queued' AND d.due_at <= now()),
       EXISTS (SELECT FROM dispatches d WHERE d.agent_id = h.agent_id AND d.status = 'running')
FROM agent_health h WHERE h.org_id = $1::text::uuid`

// AgentHealths reads how an organisation's agents are doing. One that had no turn yet is not among them.
func (l *Ledger) AgentHealths(ctx context.Context, org domain.OrgID) (map[domain.AgentID]domain.AgentHealth, error) {
	rows, err := l.hot.Query(ctx, agentHealth, string(org))
	if err != nil {
		return nil, classify(err)
	}
	all := map[domain.AgentID]domain.AgentHealth{}
	_, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (struct{}, error) {
		var h domain.AgentHealth
		var opened, probe, success, failed *time.Time
		var running bool
		if err := r.Scan(&h.AgentID, &h.Failures, &opened, &probe, &success, &h.LastError, &failed, &h.Waiting, &running); err != nil {
			return struct{}{}, err
		}
		h.OpenedAt, h.ProbeAt, h.LastSuccessAt, h.LastErrorAt = orZero(opened), orZero(probe), orZero(success), orZero(failed)
		switch {
		case h.OpenedAt.IsZero():
			h.Circuit = domain.CircuitClosed
		case running:
			h.Circuit = domain.CircuitHalfOpen
		default:
			h.Circuit = domain.CircuitOpen
		}
		all[h.AgentID] = h
		return struct{}{}, nil
	})
	return all, classify(err)
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// AgentEvent is something that happened to an agent outside any thread.
type AgentEvent struct {
	Kind      domain.TimelineKind
	Detail    json.RawMessage
	CreatedAt time.Time
}

// AgentEvents reads what happened to an agent last, the newest first.
func (l *Ledger) AgentEvents(ctx context.Context, org domain.OrgID, id domain.AgentID, limit int) ([]AgentEvent, error) {
	es := []AgentEvent{}
	err := l.NewRaw(`SELECT kind, detail, created_at FROM agent_events WHERE org_id = ? AND agent_id = ? ORDER BY created_at DESC LIMIT ?`,
		org, id, limit).Scan(ctx, &es)
	return es, classify(err)
}

// OpenCircuits counts the agents whose circuit is open, of all organisations, and what waits for them.
func (l *Ledger) OpenCircuits(ctx context.Context) (agents, waiting int, err error) {
	err = l.readers.QueryRow(ctx, `SELECT count(DISTINCT h.agent_id), count(d.id) FROM agent_health h
LEFT JOIN dispatches d ON d.agent_id = h.agent_id AND d.status = 'queued' WHERE h.opened_at IS NOT NULL`).Scan(&agents, &waiting)
	return agents, waiting, classify(err)
}
