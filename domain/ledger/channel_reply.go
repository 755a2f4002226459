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

// channelReply is something that is to leave over the thread's channel. It is written down in the transaction that causes it.
type channelReply struct {
	thread  *state
	message domain.MessageID // that we said; empty: it is something else
	what    any              // for the transport
}

// repliedMessage is a message that is to be said over the channel.
type repliedMessage struct {
	MessageID domain.MessageID `json:"message_id"`
}

// ChatwootPost is what is to be posted in a conversation of Chatwoot's: a message, a note for the people there, or its status.
type ChatwootPost struct {
	MessageID domain.MessageID `json:"message_id,omitempty"`
	Note      *ChatwootNote    `json:"note,omitempty"`
	Status    string           `json:"status,omitempty"`
}

// ChatwootNote is an agent's draft, for whoever answers there. Once it is there its words are kept no longer.
type ChatwootNote struct {
	Agent     string            `json:"agent,omitempty"`
	Content   string            `json:"content,omitempty"`
	Citations []domain.Citation `json:"citations,omitempty"`
}

// ChatwootOpen is the status of conversations that people should look after.
const ChatwootOpen = "open"

// tellChatwoot writes something down for the people who work in the thread's Chatwoot, if it is one.
func (s *state) tellChatwoot(w *rows, what ChatwootPost) {
	if s.channel.kind == domain.ChannelChatwoot && s.channel.enabled && s.channel.replies && !s.contact.erased {
		w.replies = append(w.replies, channelReply{thread: s, what: what})
	}
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
SELECT u.id, u.org_id, u.thread_id, nullif(u.message_id, '')::uuid, u.transport, u.target, u.payload::jsonb, 'queued', u.at, u.at + interval '24 hours', u.at, u.at
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[]::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[]) WITH ORDINALITY
     AS u(id, org_id, thread_id, message_id, transport, target, payload, at, n)
ORDER BY u.n`

func queueReplies(b *pgx.Batch, rs []channelReply) {
	if len(rs) == 0 {
		return
	}
	b.Queue(insertReplies,
		column(rs, func(channelReply) string { return string(NewID[domain.DeliveryID]()) }),
		column(rs, func(r channelReply) string { return string(r.thread.OrgID) }),
		column(rs, func(r channelReply) string { return string(r.thread.ID) }),
		column(rs, func(r channelReply) string { return string(r.message) }),
		column(rs, channelReply.transport),
		column(rs, func(r channelReply) string { return string(r.thread.channel.id) }),
		column(rs, func(r channelReply) string { return jsonOf(r.what) }),
		column(rs, func(r channelReply) time.Time { return r.thread.now }),
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
