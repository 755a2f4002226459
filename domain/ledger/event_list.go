package ledger

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// EventFilter says which events to list. Zero fields do not filter.
type EventFilter struct {
	Channel    string
	Kind       domain.TimelineKind
	ExternalID string
	Thread     domain.ThreadID
	Since      time.Time // what happened then, or later
	Until      time.Time // only what happened earlier than then
	Before     int64     // only what stands before the event of this order; 0 = from the newest on
	Limit      int
}

// Events lists an organisation's events, the newest first.
func (l *Ledger) Events(ctx context.Context, org domain.OrgID, f EventFilter) ([]domain.Event, error) {
	es := []domain.Event{}
	q := f.narrow(l.NewSelect().TableExpr("events AS e").ColumnExpr("e.*"), org)
	return es, classify(q.Scan(ctx, &es))
}

func (f EventFilter) narrow(q *bun.SelectQuery, org domain.OrgID) *bun.SelectQuery {
	q = q.Where("e.org_id = ?", org).OrderExpr("e.ord DESC").Limit(int64(f.Limit))
	for column, value := range map[string]string{"channel": f.Channel, "kind": string(f.Kind), "external_id": f.ExternalID} {
		if value != "" {
			q = q.Where("e.? = ?", bun.Ident(column), clean(value))
		}
	}
	if f.Thread != "" {
		q = q.Where("e.thread_id = ?", f.Thread)
	}
	if !f.Since.IsZero() {
		q = q.Where("e.created_at >= ?", f.Since)
	}
	if !f.Until.IsZero() {
		q = q.Where("e.created_at < ?", f.Until)
	}
	if f.Before > 0 {
		q = q.Where("e.ord < ?", f.Before)
	}
	return q
}

// Activity lists what an organisation's feed tells of, the newest first. A line that came under a kind of its channel's own is told once,
// as the line.
func (l *Ledger) Activity(ctx context.Context, org domain.OrgID, f EventFilter) ([]domain.Activity, error) {
	as := []domain.Activity{}
	q := f.narrow(l.NewSelect().TableExpr("events AS e").ColumnExpr("e.*"), org).
		ColumnExpr("t.channel AS thread_channel, t.handling, t.contact_id, coalesce(c.name, '') AS contact_name").
		ColumnExpr("coalesce(m.seq, 0) AS seq, coalesce(m.author_kind, '') AS author_kind, coalesce(m.author_name, '') AS author_name, coalesce(left(m.content, 240), '') AS content").
		Join("JOIN threads AS t ON t.id = e.thread_id").
		Join("LEFT JOIN contacts AS c ON c.id = t.contact_id").
		Join("LEFT JOIN messages AS m ON m.id = e.message_id").
		Where("(e.kind IN (?0) OR e.message_id IS NULL AND e.kind NOT IN (?1))", bun.List(domain.FeedKinds()), bun.List(domain.WebhookKinds()))
	return as, classify(q.Scan(ctx, &as))
}
