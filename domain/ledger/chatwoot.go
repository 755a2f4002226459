package ledger

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// TransportChatwoot is the way out to the conversations of a Chatwoot account.
const TransportChatwoot = string(domain.ChannelChatwoot)

// ChatwootConversation reads which conversation of which account a thread is, as far as a thread of a channel knows its key, its channel
// and who has it; channel.ID is empty when the account is gone. It fails with NotFound.
func (l *Ledger) ChatwootConversation(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (t domain.Thread, channel domain.Channel, err error) {
	row := channelRow{}
	err = l.hot.QueryRow(ctx, `SELECT t.correlation_key, t.handling, coalesce(c.id::text, ''), t.org_id::text, t.channel, coalesce(c.kind, ''), coalesce(c.enabled, false),
       coalesce(c.config, '{}'), c.secret, c.token
FROM threads t LEFT JOIN channels c ON c.org_id = t.org_id AND c.name = t.channel WHERE t.org_id = $1::text::uuid AND t.id = $2::text::uuid`,
		string(org), string(thread)).Scan(&t.CorrelationKey, &t.Handling, &row.ID, &row.OrgID, &row.Name, &row.Kind, &row.Enabled, &row.Config, &row.Sealed, &row.SealedToken)
	if err != nil {
		return t, domain.Channel{}, classify(err)
	}
	channel, err = l.openChannel(row)
	return t, channel, err
}

// LeaveErased takes the correlation key from a thread whose contact was erased: whoever comes under it now is somebody else.
func (l *Ledger) LeaveErased(ctx context.Context, org domain.OrgID, key string) error {
	_, err := l.NewRaw(`UPDATE threads t SET correlation_key = 'erased:' || t.id::text FROM contacts c
WHERE t.org_id = ? AND t.correlation_key = ? AND c.id = t.contact_id AND c.erased_at IS NOT NULL`, org, clean(key)).Exec(ctx)
	return classify(err)
}

// Report is an event that another system has reported before.
type Report struct {
	RecordedEvent
	Seq     int64 // of its line; 0 = it has none
	At      time.Time
	Payload json.RawMessage
}

// Report reads an event with what was kept of it. It fails with NotFound.
func (l *Ledger) Report(ctx context.Context, org domain.OrgID, id domain.EventID) (r Report, err error) {
	err = l.readers.QueryRow(ctx, `SELECT e.id::text, e.thread_id::text, coalesce(e.message_id::text, ''), coalesce(e.dispatch_id::text, ''), coalesce(e.detail->>'reason', ''),
       coalesce(m.seq, 0), e.created_at, coalesce(e.detail->'payload', '{}')
FROM events e LEFT JOIN messages m ON m.id = e.message_id WHERE e.org_id = $1::text::uuid AND e.id = $2::text::uuid`, pgx.QueryExecModeCacheStatement,
		string(org), string(id)).Scan(&r.ID, &r.ThreadID, &r.MessageID, &r.DispatchID, &r.Skip, &r.Seq, &r.At, &r.Payload)
	return r, classify(err)
}

// reports reads the reports with which some of a thread's lines came, by line. What is older than the lines is not looked at.
func reports(ctx context.Context, conn *pgxpool.Conn, org domain.OrgID, thread domain.ThreadID, lines []domain.Message) (map[domain.MessageID]ForeignLine, error) {
	if len(lines) == 0 {
		return nil, nil
	}
	rows, err := conn.Query(ctx, `SELECT e.message_id::text, e.external_id, coalesce(e.detail->'payload', '{}')
FROM threads t CROSS JOIN LATERAL (SELECT * FROM events e WHERE e.thread_id = t.id AND e.created_at >= $4 AND e.kind = 'message_received' OFFSET 0) e
WHERE t.org_id = $1::text::uuid AND t.id = $2::text::uuid AND e.message_id = ANY($3::text[]::uuid[])`,
		string(org), string(thread), column(lines, func(m domain.Message) string { return string(m.ID) }), lines[0].CreatedAt)
	if err != nil {
		return nil, classify(err)
	}
	found := map[domain.MessageID]ForeignLine{}
	var id domain.MessageID
	var f ForeignLine
	_, err = pgx.ForEachRow(rows, []any{&id, &f.ExternalID, &f.Payload}, func() error {
		found[id] = ForeignLine{f.ExternalID, append(json.RawMessage{}, f.Payload...)}
		return nil
	})
	return found, classify(err)
}

// ForeignLine is what the system a line came from called it, and what else it told.
type ForeignLine struct {
	ExternalID string
	Payload    json.RawMessage
}

// Echo reports whether a line that Chatwoot tells of is one that we have posted there, even where the answer to the post was lost or is
// still to come: then the delivery has arrived. A line that a person wrote there is none.
func (l *Ledger) Echo(ctx context.Context, org domain.OrgID, thread domain.ThreadID, external, content string) (ours bool, err error) {
	external = clean(external)
	err = l.InTx(ctx, func(tx *Ledger) error {
		var sent []struct {
			ID         domain.DeliveryID
			Status     string
			ExternalID string
			Content    string
		}
		if err := tx.NewRaw(`SELECT d.id, d.status, d.external_id, m.content FROM deliveries d JOIN messages m ON m.id = d.message_id
WHERE d.org_id = ?0 AND d.thread_id = ?1 AND d.transport = ?2 AND (d.external_id = ?3 OR d.external_id = '' AND d.attempts > 0)
ORDER BY d.external_id = ?3 DESC, d.ord FOR UPDATE OF d`, org, thread, TransportChatwoot, external).Scan(ctx, &sent); err != nil {
			return err
		}
		for _, d := range sent {
			if d.ExternalID != "" {
				ours = true
				return nil
			}
			if !SameWords(d.Content, content) {
				continue
			}
			ours = true
			return tx.arrived(ctx, org, thread, d.ID, external)
		}
		return nil
	})
	if err == nil && ours {
		err = l.again(nil) // what waited behind it may go on
	}
	return ours, classify(err)
}

// arrived ends a delivery of which the other side has told itself. One that is being tried at this moment ends with that.
func (tx *Ledger) arrived(ctx context.Context, org domain.OrgID, thread domain.ThreadID, id domain.DeliveryID, external string) error {
	if _, err := tx.NewRaw(`UPDATE deliveries SET external_id = ?2, status = CASE status WHEN 'running' THEN 'running' ELSE 'done' END, updated_at = clock_timestamp()
WHERE org_id = ?0 AND id = ?1`, org, id, external).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw(`UPDATE deliveries SET due_at = clock_timestamp() WHERE org_id = ?0 AND thread_id = ?1 AND transport = ?2 AND status = 'queued' AND due_at > clock_timestamp()
AND NOT EXISTS (SELECT FROM deliveries e WHERE e.thread_id = deliveries.thread_id AND e.transport = deliveries.transport AND e.target = deliveries.target
                AND e.ord < deliveries.ord AND e.status IN ('queued', 'running'))`, org, thread, TransportChatwoot).Exec(ctx)
	return err
}

// SameWords reports whether a line as another system tells it is the one that it was sent: it may have trimmed it, and we may have put
// the addresses of files below it.
func SameWords(sent, told string) bool {
	sent, told = strings.Join(strings.Fields(sent), " "), strings.Join(strings.Fields(told), " ")
	return sent == told || sent != "" && strings.HasPrefix(told, sent+" http")
}

// PostedAs says which of the other system's messages are deliveries of a thread already.
func (l *Ledger) PostedAs(ctx context.Context, org domain.OrgID, thread domain.ThreadID, externals []string) (map[string]bool, error) {
	var known []string
	err := l.NewRaw(`SELECT external_id FROM deliveries WHERE org_id = ? AND thread_id = ? AND transport = ? AND external_id IN (?)`,
		org, thread, TransportChatwoot, bun.List(externals)).Scan(ctx, &known)
	out := map[string]bool{}
	for _, id := range known {
		out[id] = true
	}
	return out, classify(err)
}

// ChannelDeliveries lists a channel's deliveries that have one of these statuses, the newest first.
func (l *Ledger) ChannelDeliveries(ctx context.Context, org domain.OrgID, channel domain.ChannelID, statuses []string, limit int) ([]Delivery, error) {
	ds := []Delivery{}
	err := l.NewRaw(`SELECT id, org_id, thread_id, transport, target, status, attempts, last_error, created_at, updated_at
FROM deliveries WHERE org_id = ? AND target = ? AND transport = ? AND status IN (?) ORDER BY ord DESC LIMIT ?`,
		org, channel, TransportChatwoot, bun.List(statuses), limit).Scan(ctx, &ds)
	return ds, classify(err)
}

// RetryChannel tries all of a channel's dead deliveries again, for another day, in their order, and says how many there were.
func (l *Ledger) RetryChannel(ctx context.Context, org domain.OrgID, channel domain.ChannelID) (n int64, err error) {
	res, err := l.NewRaw(`UPDATE deliveries SET status = 'queued', due_at = now(), give_up_at = now() + interval '24 hours', updated_at = now()
WHERE org_id = ? AND target = ? AND transport = ? AND status = 'dead'`, org, channel, TransportChatwoot).Exec(ctx)
	if err == nil {
		n, err = res.RowsAffected()
	}
	return n, l.again(classify(err))
}

// BeginChatwootImport reports whether an account is to be taken over from the environment: it was not before, whatever has become of
// it. In a transaction, together with what is made of it.
func (l *Ledger) BeginChatwootImport(ctx context.Context, org domain.OrgID, base, account string) (bool, error) {
	res, err := l.NewRaw(`INSERT INTO chatwoot_imports (org_id, base_url, account_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, org, clean(base), clean(account)).Exec(ctx)
	if err != nil {
		return false, classify(err)
	}
	n, err := res.RowsAffected()
	return n > 0, classify(err)
}

// Organisations lists organisations, the oldest first.
func (l *Ledger) Organisations(ctx context.Context, limit int) ([]domain.Organisation, error) {
	os := []domain.Organisation{}
	err := l.NewSelect().Model(&os).OrderExpr("created_at, id").Limit(int64(limit)).Scan(ctx)
	return os, classify(err)
}
