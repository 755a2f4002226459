package ledger

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// LoggedDelivery is a delivery as people look at it.
type LoggedDelivery struct {
	Delivery     `bun:",extend"`
	MessageID    domain.MessageID `bun:",nullzero"`
	Where        string           // whereto, in words that people know: an address; empty for a channel or webhook that is gone
	Kind         string           // of what happened, for a webhook
	AnswerStatus int              // of HTTP; 0 = nothing was said
	Answer       string           // the first of what was said
	DueAt        time.Time
	Ord          int64
}

// DeliveryFilter says which deliveries to list. Zero fields do not filter.
type DeliveryFilter struct {
	Statuses  []string // queued, running, done, dead
	Transport string
	Thread    domain.ThreadID
	Ours      bool  // only what takes words to a contact or the team: nothing that webhooks are told
	Before    int64 // only what stands before the delivery of this order; 0 = from the newest on
	Limit     int
}

// Deliveries lists deliveries, whether they arrived, wait, are on their way or were given up, the newest first.
func (l *Ledger) Deliveries(ctx context.Context, org domain.OrgID, f DeliveryFilter) ([]LoggedDelivery, error) {
	ds := []LoggedDelivery{}
	q := l.deliveries(org).OrderExpr("d.ord DESC").Limit(int64(f.Limit))
	if len(f.Statuses) > 0 {
		q = q.Where("d.status IN (?)", bun.List(f.Statuses))
	}
	if f.Transport != "" {
		q = q.Where("d.transport = ?", clean(f.Transport))
	}
	if f.Thread != "" {
		q = q.Where("d.thread_id = ?", f.Thread)
	}
	if f.Ours {
		q = q.Where("d.transport <> 'webhook'")
	}
	if f.Before > 0 {
		q = q.Where("d.ord < ?", f.Before)
	}
	return ds, classify(q.Scan(ctx, &ds))
}

// Delivery reads one. Another organisation's is NotFound.
func (l *Ledger) Delivery(ctx context.Context, org domain.OrgID, id domain.DeliveryID) (d LoggedDelivery, err error) {
	err = l.deliveries(org).Where("d.id = ?", id).Scan(ctx, &d)
	return d, classify(err)
}

func (l *Ledger) deliveries(org domain.OrgID) *bun.SelectQuery {
	return l.NewSelect().TableExpr("deliveries AS d").
		ColumnExpr("d.id, d.org_id, d.thread_id, d.message_id, d.transport, d.target, d.payload, d.status, d.attempts, d.last_error").
		ColumnExpr("coalesce(d.answer_status, 0) AS answer_status, d.answer, d.due_at, d.created_at, d.updated_at, d.ord").
		ColumnExpr("CASE d.transport WHEN 'webhook' THEN coalesce(d.payload->>'kind', '') ELSE '' END AS kind").
		ColumnExpr(`CASE d.transport WHEN 'webhook' THEN coalesce((SELECT h.url FROM webhooks h WHERE h.id::text = d.target AND h.org_id = d.org_id), '')
    WHEN 'mail' THEN d.target ELSE coalesce((SELECT c.reply_url FROM channels c WHERE c.id::text = d.target AND c.org_id = d.org_id), '') END AS "where"`).
		Where("d.org_id = ?", org)
}

// ResendDelivery brings on its way again what arrived or was given up, for another day, as the newest there is, so that nothing has to
// wait for it. It fails with NotFound for what is on its way anyway, was erased, or is another organisation's.
func (l *Ledger) ResendDelivery(ctx context.Context, org domain.OrgID, id domain.DeliveryID) error {
	return l.again(one(l.NewRaw(`UPDATE deliveries SET status = 'queued', ord = DEFAULT, attempts = 0, last_error = '', answer_status = NULL, answer = '', external_id = '',
       due_at = clock_timestamp(), give_up_at = clock_timestamp() + interval '24 hours', updated_at = clock_timestamp()
WHERE org_id = ? AND id = ? AND status IN ('done', 'dead') AND target <> ''`, org, id).Exec(ctx)))
}

// OpenDeliveries counts, on all nodes together, what waits or is on its way, by transport.
func (l *Ledger) OpenDeliveries(ctx context.Context) (map[string]int, error) {
	rows, err := l.readers.Query(ctx, `SELECT transport, count(*) FROM deliveries WHERE status IN ('queued', 'running') GROUP BY 1`)
	if err != nil {
		return nil, classify(err)
	}
	defer rows.Close()
	open := map[string]int{}
	for rows.Next() {
		var transport string
		var n int
		if err := rows.Scan(&transport, &n); err != nil {
			return nil, classify(err)
		}
		open[transport] = n
	}
	return open, classify(rows.Err())
}
