package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/parley-chat/parley/domain"
)

// The flight recorder is read from where things happened: turns as they began (and were lost), their steps, and the events. What
// happened at one instant stands in that order. What webhooks were told stands in their own logs.
const timeline = `
SELECT * FROM (
    SELECT started_at AS at, 0 AS source, 0::bigint AS ord, 'turn_started' AS kind, NULL::uuid AS message_id, dispatch_id, id AS turn_id,
           jsonb_build_object('agent_id', agent_id, 'agent_name', (SELECT name FROM agents a WHERE a.id = t.agent_id),
                              'attempt', attempt, 'waited_ms', round(waited_ms::numeric, 1), 'status', status,
                              'took_ms', round(extract(epoch FROM finished_at - started_at) * 1000, 1)) AS detail
    FROM turns t WHERE thread_id = ?0 AND org_id = ?1
    UNION ALL
    SELECT finished_at, 1, 0, 'turn_failed', NULL, dispatch_id, id, jsonb_build_object('error', error)
    FROM turns WHERE thread_id = ?0 AND org_id = ?1 AND status = 'lost'
    UNION ALL
    SELECT s.created_at, 1, s.ord, s.kind, NULL, t.dispatch_id, s.turn_id, s.detail
    FROM turn_steps s JOIN turns t ON t.id = s.turn_id WHERE s.thread_id = ?0 AND s.org_id = ?1
    UNION ALL
    SELECT created_at, 2, ord, kind, message_id, dispatch_id, turn_id, detail
    FROM events WHERE thread_id = ?0 AND org_id = ?1
    UNION ALL
    SELECT r.at, 3, m.seq, 'delivered', m.id, NULL, NULL, jsonb_build_object('transport', r.transport)
    FROM receipts r JOIN messages m ON m.thread_id = r.thread_id AND m.seq BETWEEN r.from_seq AND r.to_seq AND m.direction = 'outbound'
    WHERE r.thread_id = ?0 AND r.org_id = ?1
    UNION ALL
    SELECT updated_at, 3, ord, CASE status WHEN 'done' THEN 'delivered' ELSE 'delivery_dead' END, message_id, NULL, NULL,
           jsonb_strip_nulls(jsonb_build_object('transport', transport, 'attempts', attempts, 'error', nullif(last_error, ''),
               'what', CASE WHEN transport <> 'chatwoot' THEN NULL WHEN payload->'note' IS NOT NULL THEN 'draft' WHEN payload->'status' IS NOT NULL THEN 'status' END))
    FROM deliveries WHERE thread_id = ?0 AND org_id = ?1 AND status IN ('done', 'dead') AND transport <> 'webhook'
) AS items`

// TimelinePart asks for a part of a timeline, and is one: happenings in order, oldest first.
type TimelinePart struct {
	Before, From string // begin of the part that follows this one; where this one is to begin; each is some part's Begin, or empty
	Most         int    // of rows; a line and what it led to are one

	Begin   string // names the first item
	Earlier bool   // there is more before it
	Items   []domain.TimelineItem
}

// timelineRow is a happening with its place in the order of all.
type timelineRow struct {
	At         time.Time
	Source     int
	Ord        int64
	Kind       domain.TimelineKind
	MessageID  domain.MessageID
	DispatchID domain.DispatchID
	TurnID     domain.TurnID
	Detail     json.RawMessage
}

// Timeline reads everything that happened in a thread, in order. It does not tell another organisation's thread from an empty one.
func (l *Ledger) Timeline(ctx context.Context, org domain.OrgID, thread domain.ThreadID) ([]domain.TimelineItem, error) {
	var rows []timelineRow
	if err := l.NewRaw(timeline+` ORDER BY at, source, ord`, thread, org).Scan(ctx, &rows); err != nil {
		return nil, classify(err)
	}
	return timelineItems(rows)
}

// TimelinePart reads the latest happenings of a thread, or those just before others, at most as many as asked for. A part that would
// begin within an exchange begins with the next one, if one begins in its first half. It fails with Invalid if a place names nothing.
func (l *Ledger) TimelinePart(ctx context.Context, org domain.OrgID, thread domain.ThreadID, part TimelinePart) (TimelinePart, error) {
	sql, args := timeline+` WHERE true`, []any{thread, org, part.Most + 1}
	for _, bound := range []struct{ op, place string }{{"<", part.Before}, {">=", part.From}} {
		if bound.place == "" {
			continue
		}
		var at, ord int64
		var source int
		if n, err := fmt.Sscanf(bound.place, "%d-%d-%d", &at, &source, &ord); n != 3 || err != nil {
			return part, &domain.Error{Kind: domain.Invalid, Msg: "that is no place in the record"}
		}
		n := len(args)
		sql += fmt.Sprintf(` AND (at, source, ord) %s (?%d, ?%d, ?%d)`, bound.op, n, n+1, n+2)
		args = append(args, time.UnixMicro(at).UTC(), source, ord)
	}
	var rows []timelineRow
	if err := l.NewRaw(sql+` ORDER BY at DESC, source DESC, ord DESC LIMIT ?2`, args...).Scan(ctx, &rows); err != nil {
		return part, classify(err)
	}
	slices.Reverse(rows)
	if len(rows) > part.Most {
		part.Earlier, rows = true, rows[len(rows)-part.Most:]
		if n := slices.IndexFunc(rows, func(r timelineRow) bool { return r.Kind == domain.MessageReceived }); n > 0 && n <= len(rows)/2 {
			rows = rows[n:]
		}
	}
	if len(rows) > 0 {
		part.Begin = fmt.Sprintf("%d-%d-%d", rows[0].At.UnixMicro(), rows[0].Source, rows[0].Ord)
	}
	var err error
	part.Items, err = timelineItems(rows)
	return part, err
}

// timelineItems tells rows as items.
func timelineItems(rows []timelineRow) ([]domain.TimelineItem, error) {
	items := make([]domain.TimelineItem, 0, len(rows))
	for _, r := range rows {
		item := domain.TimelineItem{At: r.At.UTC(), Kind: r.Kind, MessageID: r.MessageID, DispatchID: r.DispatchID, TurnID: r.TurnID, Detail: r.Detail}
		if r.Kind != domain.MessageReceived {
			items = append(items, item)
			continue
		}
		var led received // a line and what it led to are one row and two items
		if err := json.Unmarshal(r.Detail, &led); err != nil {
			return nil, classify(err)
		}
		item.DispatchID, item.Detail = "", json.RawMessage("{}")
		routing := domain.TimelineItem{At: item.At, Kind: led.Routing, MessageID: item.MessageID, DispatchID: r.DispatchID, Detail: json.RawMessage("{}")}
		if led.Reason != "" {
			routing.Detail = json.RawMessage(jsonOf(map[string]any{"reason": led.Reason}))
		}
		items = append(items, item, routing)
	}
	return items, nil
}
