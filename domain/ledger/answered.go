package ledger

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// AnswerState is what has come of a contact's line.
type AnswerState struct {
	Open     bool                  // a turn runs or is to run
	Turn     domain.TurnID         // the latest, if there was any
	Status   domain.DispatchStatus // of the dispatch that covered the line last; empty: no agent was asked
	Skip     domain.SkipReason     // with DispatchSkipped
	Handling domain.Handling       // of the thread
	Handoff  string                // why the turn asked for a person; empty: it did not
	Usage    json.RawMessage       // of the latest turn
	Fault    domain.Fault          // whose it is that the latest turn failed; empty: it did not, or the agent's own
	Messages []domain.Message      // what the agent said to it, and what was said for the agent when it failed
}

// The dispatch that covers a line is the latest one that does: lines that came during a turn get another.
const answerDispatch = `
WITH d AS (
    SELECT id, status, skip_reason FROM dispatches
    WHERE thread_id = $1::text::uuid AND org_id = $2::text::uuid AND from_seq <= $3 AND to_seq >= $3
    ORDER BY created_at DESC, id DESC LIMIT 1
)`

const answerState = answerDispatch + `
SELECT th.handling, coalesce(d.status, ''), coalesce(d.skip_reason, ''), coalesce(t.id::text, ''), coalesce(t.usage, '{}'),
       coalesce((SELECT st.detail->>'fault' FROM turn_steps st WHERE st.turn_id = t.id AND st.kind = 'turn_failed' ORDER BY st.ord DESC LIMIT 1), ''),
       coalesce((SELECT e.detail->>'reason' FROM events e WHERE e.thread_id = th.id AND e.kind = 'handed_off' AND e.dispatch_id = d.id LIMIT 1), '')
FROM threads th LEFT JOIN d ON true
LEFT JOIN LATERAL (SELECT id, usage FROM turns WHERE dispatch_id = d.id ORDER BY started_at DESC LIMIT 1) t ON true
WHERE th.id = $1::text::uuid AND th.org_id::text = $2::text`

const answerMessages = answerDispatch + `
SELECT ` + messageColumns + ` FROM messages m, d
WHERE m.thread_id = $1::text::uuid AND m.org_id = $2::text::uuid AND m.seq > $3 AND (
    m.turn_id IN (SELECT id FROM turns WHERE dispatch_id = d.id)
    OR m.author_kind = 'system' AND EXISTS (SELECT FROM events e WHERE e.thread_id = m.thread_id AND e.message_id = m.id AND e.dispatch_id = d.id))
ORDER BY m.seq`

// AnswerTo reads what has come of the line with this seq so far. Once it is no longer open, only a person can add to it.
// It fails with NotFound for a thread that is not the organisation's.
func (l *Ledger) AnswerTo(ctx context.Context, org domain.OrgID, thread domain.ThreadID, seq int64) (AnswerState, error) {
	var a AnswerState
	b := &pgx.Batch{}
	b.Queue(answerState, string(thread), string(org), seq).QueryRow(func(r pgx.Row) error {
		return r.Scan(&a.Handling, &a.Status, &a.Skip, &a.Turn, &a.Usage, &a.Fault, &a.Handoff)
	})
	b.Queue(answerMessages, string(thread), string(org), seq).Query(func(r pgx.Rows) error {
		for r.Next() {
			m, err := scanMessage(r)
			if err != nil {
				return err
			}
			a.Messages = append(a.Messages, m)
		}
		return r.Err()
	})
	conn, err := l.hot.Acquire(ctx)
	if err != nil {
		return a, classify(err)
	}
	defer conn.Release()
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return a, classify(err)
	}
	a.Open = a.Status == domain.DispatchQueued || a.Status == domain.DispatchRunning
	return a, nil
}

// OpenTurn says which of the contact's lines a thread's open dispatch begins with; 0 = none is open.
func (l *Ledger) OpenTurn(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (seq int64, err error) {
	err = l.NewRaw(`SELECT coalesce(max(from_seq), 0) FROM dispatches WHERE thread_id = ? AND org_id = ? AND status IN ('queued', 'running')`,
		thread, org).Scan(ctx, &seq)
	return seq, classify(err)
}
