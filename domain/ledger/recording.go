package ledger

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Recording reads what the flight recorder keeps of an organisation's turns.
func (l *Ledger) Recording(ctx context.Context, org domain.OrgID) (domain.Recording, error) {
	var r domain.Recording
	err := l.NewRaw(`SELECT record_content AS content, record_days AS days FROM organisations WHERE id = ?`, org).Scan(ctx, &r)
	return r, classify(err)
}

// LockOrganisation is for a transaction that will change an organisation's settings: nobody else can until it ends. Whatever else goes on
// in the organisation goes on.
func (l *Ledger) LockOrganisation(ctx context.Context, org domain.OrgID) error {
	var one int
	return classify(l.NewRaw(`SELECT 1 FROM organisations WHERE id = ? FOR NO KEY UPDATE`, org).Scan(ctx, &one))
}

// SetRecording changes it. It counts for turns that begin from now on; how long details are kept counts for all.
func (l *Ledger) SetRecording(ctx context.Context, org domain.OrgID, r domain.Recording) error {
	res, err := l.NewRaw(`UPDATE organisations SET record_content = ?, record_days = ? WHERE id = ?`, r.Content, r.Days, org).Exec(ctx)
	return one(res, err)
}

// What of a step's detail is kept for ever: what it cost and how it went, but nothing that anybody wrote.
const sweepSteps = `
WITH old AS (
    SELECT s.ord FROM organisations o
    CROSS JOIN LATERAL (
        SELECT ord FROM turn_steps WHERE org_id = o.id AND NOT swept AND created_at < ?0::timestamptz - o.record_days * interval '1 day'
        ORDER BY created_at LIMIT ?1
    ) s
    WHERE o.record_days > 0
    LIMIT ?1
)
UPDATE turn_steps s SET swept = true, detail = jsonb_build_object('swept', true) || coalesce((
    SELECT jsonb_object_agg(key, value) FROM jsonb_each(s.detail)
    WHERE key IN ('name', 'kind', 'model', 'ms', 'connect_ms', 'first_response_ms', 'responses', 'hits', 'confidence', 'min_confidence',
                  'prompt_tokens', 'completion_tokens', 'cost_usd', 'attempt', 'at', 'finish_reason', 'step')), '{}')
FROM old WHERE s.ord = old.ord`

// SweepSteps takes the details of at most limit turn steps away that are older than their organisation keeps them, and says how many.
func (l *Ledger) SweepSteps(ctx context.Context, now time.Time, limit int) (int, error) {
	res, err := l.NewRaw(sweepSteps, now, limit).Exec(ctx)
	if err != nil {
		return 0, classify(err)
	}
	n, err := res.RowsAffected()
	return int(n), classify(err)
}
