package ledger

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Receipt says that lines of a thread were written to the contact over a transport.
type Receipt struct {
	OrgID     domain.OrgID
	ThreadID  domain.ThreadID
	Transport string
	From, To  int64         // seqs
	Age       time.Duration // since the first of them was written
}

// A line's first delivery by a transport is what counts; readers come in order, so what lies above the highest seq is new.
const putReceipts = `
INSERT INTO receipts (org_id, thread_id, transport, from_seq, to_seq, at)
SELECT t.org_id, t.id, u.transport, greatest(u.from_seq, coalesce(seen.to_seq, 0) + 1), u.to_seq, clock_timestamp() - u.age_ms * interval '1 millisecond'
FROM unnest($1::text[], $2::text[]::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::float8[]) AS u(org_id, thread_id, transport, from_seq, to_seq, age_ms)
JOIN threads t ON t.id = u.thread_id AND t.org_id::text = u.org_id
LEFT JOIN LATERAL (SELECT max(r.to_seq) AS to_seq FROM receipts r WHERE r.thread_id = u.thread_id AND r.transport = u.transport) seen ON true
WHERE u.to_seq > coalesce(seen.to_seq, 0)
ORDER BY t.id -- as appends lock them
ON CONFLICT DO NOTHING`

// PutReceipts stores many receipts in one statement. Those of lines that had gone over the same transport before change nothing.
func (l *Ledger) PutReceipts(ctx context.Context, rs []Receipt) error {
	_, err := l.hot.Exec(ctx, putReceipts,
		column(rs, func(r Receipt) string { return string(r.OrgID) }),
		column(rs, func(r Receipt) string { return string(r.ThreadID) }),
		column(rs, func(r Receipt) string { return r.Transport }),
		column(rs, func(r Receipt) int64 { return r.From }),
		column(rs, func(r Receipt) int64 { return r.To }),
		column(rs, func(r Receipt) float64 { return float64(r.Age.Microseconds()) / 1000 }))
	return classify(err)
}
