package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// The ways out. The target of the first two is an id, of the third an address.
const (
	TransportReplyURL = "reply_url" // to a generic channel's reply URL
	TransportWebhook  = "webhook"
	TransportMail     = "mail"
)

// channelReply is something we said that is to leave over the thread's channel. It is written down in the transaction that says it.
type channelReply struct {
	thread  *state
	message *domain.Message
}

// transport is the way out to a channel of this kind.
func (r channelReply) transport() string {
	if r.thread.channel.kind == domain.ChannelGeneric {
		return TransportReplyURL
	}
	return string(r.thread.channel.kind)
}

// The target is the channel, not its address: what waits goes where the channel is by then, and in order.
const insertReplies = `
INSERT INTO deliveries (id, org_id, thread_id, message_id, transport, target, payload, status, due_at, give_up_at, created_at, updated_at)
SELECT u.id, u.org_id, u.thread_id, u.message_id, u.transport, u.target, jsonb_build_object('message_id', u.message_id), 'queued', u.at, u.at + interval '24 hours', u.at, u.at
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[]::uuid[], $4::text[]::uuid[], $5::text[], $6::text[], $7::timestamptz[]) WITH ORDINALITY
     AS u(id, org_id, thread_id, message_id, transport, target, at, n)
ORDER BY u.n`

func queueReplies(b *pgx.Batch, rs []channelReply) {
	if len(rs) == 0 {
		return
	}
	b.Queue(insertReplies,
		column(rs, func(channelReply) string { return string(NewID[domain.DeliveryID]()) }),
		column(rs, func(r channelReply) string { return string(r.thread.OrgID) }),
		column(rs, func(r channelReply) string { return string(r.thread.ID) }),
		column(rs, func(r channelReply) string { return string(r.message.ID) }),
		column(rs, channelReply.transport),
		column(rs, func(r channelReply) string { return string(r.thread.channel.id) }),
		column(rs, func(r channelReply) time.Time { return r.message.CreatedAt }),
	)
}

// RecordedEvent is an event as whoever posted it hears of it.
type RecordedEvent struct {
	ID         domain.EventID
	ThreadID   domain.ThreadID
	MessageID  domain.MessageID
	DispatchID domain.DispatchID
	Skip       domain.SkipReason // why no agent was asked; empty: one was
}

// EventByKey finds the event that came under this external id. It fails with NotFound.
func (l *Ledger) EventByKey(ctx context.Context, org domain.OrgID, channel, kind, external string) (e RecordedEvent, err error) {
	err = l.hot.QueryRow(ctx, `SELECT id::text, thread_id::text, coalesce(message_id::text, ''), coalesce(dispatch_id::text, ''), coalesce(detail->>'reason', '')
FROM events WHERE org_id = $1::text::uuid AND channel = $2 AND kind = $3 AND external_id = $4`,
		string(org), clean(channel), clean(kind), clean(external)).Scan(&e.ID, &e.ThreadID, &e.MessageID, &e.DispatchID, &e.Skip)
	return e, classify(err)
}
