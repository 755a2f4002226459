package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// Delivery is something that leaves by another way than our own transports.
type Delivery struct {
	ID        domain.DeliveryID
	OrgID     domain.OrgID
	ThreadID  domain.ThreadID `bun:",nullzero"` // empty: about no thread
	Transport string
	Target    string
	Payload   json.RawMessage `bun:"type:jsonb"`
	Status    string          // queued, running, done or dead
	Attempts  int             // this one included
	Token     int64
	LastError string
	CreatedAt time.Time
	UpdatedAt time.Time

	ExternalID string `bun:"-"` // the other side has it already, under this name
	Unsure     bool   `bun:"-"` // an attempt before may have arrived, although nobody heard so

	Reply *DeliveryReply `bun:"-"` // on its way: what the other side says, for the transport to fill in
}

// DeliveryReply is what the other side said to an attempt.
type DeliveryReply struct {
	Status int    // of HTTP; 0 = it said nothing
	Body   string // the first of it

	ExternalID string // what it calls what it has taken; empty: it did not say
}

func (d Delivery) reply() (status int, body string) {
	if d.Reply == nil {
		return 0, ""
	}
	return d.Reply.Status, clean(d.Reply.Body)
}

// called is what the other side calls it, as far as it has said.
func (d Delivery) called() string {
	if d.Reply == nil {
		return ""
	}
	return clean(d.Reply.ExternalID)
}

// Mails says that this program has a way to send mail: only then are mails written down.
func (l *Ledger) Mails() { l.mails = true }

const insertMails = `
INSERT INTO deliveries (id, org_id, thread_id, transport, target, payload, status, due_at, give_up_at, created_at, updated_at)
SELECT gen_random_uuid(), o.org_id, m.thread_id, 'mail', o.email, m.payload::jsonb, 'queued', m.at, m.at + interval '24 hours', m.at, m.at
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[], $4::timestamptz[]) AS m(org_id, thread_id, payload, at)
JOIN users o ON o.org_id = m.org_id AND o.role = 'owner'`

func queueMails(b *pgx.Batch, ms []mailToOwners) {
	if len(ms) == 0 {
		return
	}
	b.Queue(insertMails,
		column(ms, func(m mailToOwners) string { return string(m.thread.OrgID) }),
		column(ms, func(m mailToOwners) string { return string(m.thread.ID) }),
		column(ms, func(m mailToOwners) string { return m.kind }),
		column(ms, func(m mailToOwners) time.Time { return m.at }),
	)
}

// Enqueue writes a delivery down; in a transaction, together with what caused it. It is tried for a day.
func (l *Ledger) Enqueue(ctx context.Context, d Delivery) error {
	_, err := l.NewRaw(`INSERT INTO deliveries (id, org_id, thread_id, transport, target, payload, status, due_at, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?::jsonb, 'queued', clock_timestamp(), clock_timestamp(), clock_timestamp())`,
		NewID[domain.DeliveryID](), d.OrgID, bun.NullZero(d.ThreadID), d.Transport, clean(d.Target), jsonOf(d.Payload)).Exec(ctx)
	return classify(err)
}

// Deliveries of one thread to one target keep their order, and no target has more than its share on the way at once, so that one that
// hangs holds up nobody else. Targets are found by leaps through the index, and each is read from its oldest delivery on until it has its
// share: how many wait behind those does not matter.
const claimDeliveries = `
WITH RECURSIVE ways AS (
    (SELECT transport, target FROM deliveries WHERE status IN ('queued', 'running') ORDER BY transport, target LIMIT 1)
    UNION ALL
    SELECT n.transport, n.target FROM ways w CROSS JOIN LATERAL (
        SELECT transport, target FROM deliveries WHERE status IN ('queued', 'running') AND (transport, target) > (w.transport, w.target)
        ORDER BY transport, target LIMIT 1) n
), room AS MATERIALIZED (
    SELECT w.transport, w.target, $4::int - (SELECT count(*) FROM deliveries r WHERE r.status = 'running' AND r.lease_until >= statement_timestamp()
           AND r.transport = w.transport AND r.target = w.target) AS n
    FROM ways w WHERE w.transport = ANY($1::text[])
), next AS MATERIALIZED (
    SELECT c.id FROM room CROSS JOIN LATERAL (
        SELECT d.id FROM deliveries d
        WHERE d.transport = room.transport AND d.target = room.target AND d.status IN ('queued', 'running')
          AND (d.status = 'queued' AND d.due_at <= statement_timestamp() OR d.status = 'running' AND d.lease_until < statement_timestamp())
          AND NOT EXISTS (SELECT FROM deliveries e WHERE e.thread_id = d.thread_id AND e.transport = d.transport AND e.target = d.target
                          AND e.ord < d.ord AND e.status IN ('queued', 'running'))
        ORDER BY d.ord LIMIT greatest(room.n, 0)) c
), due AS MATERIALIZED (
    SELECT d.id, d.attempts > 0 AND (d.status = 'running' OR coalesce(d.answer_status, 504) IN (502, 504)) AS unsure
    FROM next JOIN deliveries d USING (id)
    WHERE d.status = 'queued' AND d.due_at <= statement_timestamp() OR d.status = 'running' AND d.lease_until < statement_timestamp()
    ORDER BY d.ord LIMIT $2 FOR UPDATE OF d SKIP LOCKED
)
UPDATE deliveries d SET status = 'running', attempts = attempts + 1, token = token + 1,
       lease_until = clock_timestamp() + $3 * interval '1 millisecond', updated_at = clock_timestamp()
FROM due WHERE d.id = due.id
RETURNING d.id::text, d.org_id::text, coalesce(d.thread_id::text, ''), d.transport, d.target, d.payload, d.attempts, d.token, d.created_at,
       d.external_id, due.unsure`

// ClaimDeliveries takes up to limit deliveries that are due, for the length of the lease. With those on their way already a target
// gets at most share of them.
func (l *Ledger) ClaimDeliveries(ctx context.Context, transports []string, limit, share int, lease time.Duration) ([]Delivery, error) {
	conn, err := l.writers.Acquire(ctx)
	if err != nil {
		return nil, classify(err)
	}
	defer conn.Release()
	ctx, cancel := unbroken(ctx)
	defer cancel()
	rows, err := conn.Query(ctx, claimDeliveries, transports, limit, float64(lease.Milliseconds()), share)
	if err != nil {
		return nil, classify(err)
	}
	ds, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (d Delivery, err error) {
		err = r.Scan(&d.ID, &d.OrgID, &d.ThreadID, &d.Transport, &d.Target, &d.Payload, &d.Attempts, &d.Token, &d.CreatedAt,
			&d.ExternalID, &d.Unsure)
		return d, err
	})
	return ds, classify(err)
}

// RenewDeliveries keeps the leases of deliveries that are on their way, by their tokens, and says which still are the caller's.
func (l *Ledger) RenewDeliveries(ctx context.Context, held map[domain.DeliveryID]int64, lease time.Duration) (kept map[domain.DeliveryID]bool, err error) {
	ids, tokens := make([]string, 0, len(held)), make([]int64, 0, len(held))
	for id, token := range held {
		ids, tokens = append(ids, string(id)), append(tokens, token)
	}
	rows, err := l.hot.Query(ctx, `UPDATE deliveries d SET lease_until = clock_timestamp() + $3 * interval '1 millisecond'
FROM unnest($1::text[]::uuid[], $2::bigint[]) AS held(id, token) WHERE d.id = held.id AND d.token = held.token AND d.status = 'running'
RETURNING d.id::text`, ids, tokens, float64(lease.Milliseconds()))
	if err != nil {
		return nil, classify(err)
	}
	kept = map[domain.DeliveryID]bool{}
	var id domain.DeliveryID
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		kept[id] = true
		return nil
	})
	return kept, classify(err)
}

// Delivered ends a delivery that arrived.
func (l *Ledger) Delivered(ctx context.Context, d Delivery) error {
	status, body := d.reply()
	_, err := l.writers.Exec(ctx, `UPDATE deliveries SET status = 'done', last_error = '', updated_at = clock_timestamp(),
       answer_status = nullif($3::int, 0), answer = $4, external_id = coalesce(nullif($5, ''), external_id),
       payload = CASE WHEN transport = 'chatwoot' AND payload->'note' IS NOT NULL THEN '{"note": {}}' ELSE payload END
WHERE id = $1::text::uuid AND token = $2 AND status = 'running'`, string(d.ID), d.Token, status, body, d.called())
	return classify(err)
}

// Deliveries that wait behind a failed one become due with it and not before: otherwise every claim would have to read past them.
const undelivered = `
WITH failed AS (
    UPDATE deliveries SET last_error = $3, updated_at = clock_timestamp(), due_at = clock_timestamp() + $4 * interval '1 millisecond',
           status = CASE WHEN $5 OR clock_timestamp() + $4 * interval '1 millisecond' > give_up_at THEN 'dead' ELSE 'queued' END,
           answer_status = nullif($6::int, 0), answer = $7
    WHERE id = $1::text::uuid AND token = $2 AND status = 'running'
    RETURNING status, due_at, thread_id, transport, target, ord
), behind AS (
    UPDATE deliveries d SET due_at = f.due_at FROM failed f
    WHERE f.status = 'queued' AND d.thread_id = f.thread_id AND d.transport = f.transport AND d.target = f.target AND d.ord > f.ord
      AND d.status = 'queued' AND d.due_at < f.due_at
)
SELECT status = 'dead' FROM failed`

// Undelivered puts a delivery off that did not arrive, or gives it up: when trying again cannot help, or its day is over.
func (l *Ledger) Undelivered(ctx context.Context, d Delivery, reason string, final bool, retryIn time.Duration) (dead bool, err error) {
	status, body := d.reply()
	err = l.writers.QueryRow(ctx, undelivered, string(d.ID), d.Token, clean(reason), float64(retryIn.Milliseconds()), final, status, body).Scan(&dead)
	if err == pgx.ErrNoRows { // somebody else has it
		return false, nil
	}
	return dead, classify(err)
}

// NextDelivery says in how long the next delivery is due; ok is false when there is none.
func (l *Ledger) NextDelivery(ctx context.Context, transports []string) (in time.Duration, ok bool, err error) {
	var seconds *float64
	err = l.hot.QueryRow(ctx, `SELECT extract(epoch FROM least(
    (SELECT due_at FROM deliveries d WHERE status = 'queued' AND transport = ANY($1::text[])
       AND NOT EXISTS (SELECT FROM deliveries e WHERE e.thread_id = d.thread_id AND e.transport = d.transport AND e.target = d.target
                       AND e.ord < d.ord AND e.status IN ('queued', 'running')) ORDER BY due_at LIMIT 1),
    (SELECT min(lease_until) FROM deliveries WHERE status = 'running')) - clock_timestamp())::float8`,
		transports).Scan(&seconds)
	if err != nil || seconds == nil {
		return 0, false, classify(err)
	}
	return time.Duration(*seconds * float64(time.Second)), true, nil
}
