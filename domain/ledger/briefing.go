package ledger

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// Briefing is all a turn needs to know about its thread, read in one round trip.
type Briefing struct {
	Skip          domain.SkipReason // the guards' verdict now; empty = go ahead
	Channel       string
	WidgetID      domain.WidgetID
	Contact       domain.Contact
	Agent         domain.Agent
	SessionID     domain.SessionID // the contact's latest; empty without one
	Page          domain.Page
	Locale        string
	Timezone      string
	RecordContent domain.RecordContent
	Messages      []domain.Message // the last lines up to the turn's ToSeq, oldest first

	Conversation string                           // of Chatwoot, where the thread is one; else empty
	Foreign      map[domain.MessageID]ForeignLine // what is known there of the lines that the turn is to answer
}

const briefing = `
SELECT t.channel, t.handling, coalesce(t.widget_id::text, ''), w.id IS NOT NULL, coalesce(w.enabled AND w.webchat_enabled, false),
       coalesce(c.id::text, ''), coalesce(c.opted_out, false), coalesce(c.name, ''), coalesce(c.email, ''), coalesce(c.phone, ''), coalesce(c.profile, '{}'),
       coalesce(a.id::text, ''), coalesce(a.org_id::text, ''), coalesce(a.name, ''), coalesce(a.kind, ''), coalesce(a.enabled, false),
       coalesce(a.send_mode, ''), coalesce(a.config, '{}'), a.secrets,
       coalesce(s.id::text, ''), coalesce(s.page, '{}'), coalesce(s.locale, ''), coalesce(s.timezone, ''), o.record_content,
       CASE WHEN t.widget_id IS NULL THEN t.correlation_key ELSE '' END
FROM threads t
JOIN organisations o ON o.id = t.org_id
LEFT JOIN contacts c ON c.id = t.contact_id
LEFT JOIN widgets w ON w.id = t.widget_id
LEFT JOIN agents a ON a.id = $3::text::uuid
LEFT JOIN LATERAL (SELECT id, page, locale, timezone FROM sessions WHERE contact_id = t.contact_id ORDER BY last_seen_at DESC LIMIT 1) s ON true
WHERE t.id = $1::text::uuid AND t.org_id::text = $2`

// Brief reads what the turn of a claim needs: all lines that it is to answer, and with those at least as many of the thread's latest
// messages as lines says.
func (l *Ledger) Brief(ctx context.Context, c Claim, lines int) (Briefing, error) {
	if c.ahead != nil {
		if b, err := c.ahead(ctx); err == nil && !b.foreign() { // what is known of the lines elsewhere was not stored yet when it was read
			return b, nil
		}
	}
	return l.brief(ctx, c, c.ToSeq+1, lines, "")
}

// briefAhead starts reading the briefing of a turn while the batch that begins the turn is still being stored. handling is what the
// thread's will be once it is stored, and news are the lines that the batch adds; nothing else can change, because the batch holds the
// thread's lock.
func (l *Ledger) briefAhead(c Claim, handling domain.Handling, news []domain.Message) func(context.Context) (Briefing, error) {
	before := c.ToSeq + 1
	if len(news) > 0 {
		before = min(before, news[0].Seq)
	}
	var b Briefing
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), laneDeadline)
		defer cancel()
		b, err = l.brief(ctx, c, before, l.births.Lines, handling)
		for _, m := range news {
			if m.Seq <= c.ToSeq {
				b.Messages = append(b.Messages, m)
			}
		}
	}()
	return func(ctx context.Context) (Briefing, error) {
		select {
		case <-done:
			return b, err
		case <-ctx.Done():
			return Briefing{}, ctx.Err()
		}
	}
}

// brief reads a briefing with the lines below a seq, for a thread with the given handling; empty = the one that is stored.
func (l *Ledger) brief(ctx context.Context, c Claim, before int64, lines int, handling domain.Handling) (Briefing, error) {
	var b Briefing
	var st state
	var page, sealed []byte
	var key string
	batch := &pgx.Batch{}
	batch.Queue(briefing, string(c.ThreadID), string(c.OrgID), string(c.Agent)).QueryRow(func(r pgx.Row) error {
		return r.Scan(&b.Channel, &st.Handling, &b.WidgetID, &st.widget.known, &st.widget.webchatEnabled,
			&b.Contact.ID, &st.contact.optedOut, &b.Contact.Name, &b.Contact.Email, &b.Contact.Phone, &b.Contact.Profile,
			&b.Agent.ID, &b.Agent.OrgID, &b.Agent.Name, &b.Agent.Kind, &b.Agent.Enabled, &b.Agent.SendMode, &b.Agent.Config, &sealed,
			&b.SessionID, &page, &b.Locale, &b.Timezone, &b.RecordContent, &key)
	})
	batch.Queue(messagesBefore, string(c.ThreadID), string(c.OrgID), before, max(int64(lines), c.ToSeq-c.FromSeq+1)).Query(func(r pgx.Rows) error {
		for r.Next() {
			m, err := scanMessage(r)
			if err != nil {
				return err
			}
			b.Messages = append(b.Messages, m)
		}
		return r.Err()
	})
	conn, err := l.hot.Acquire(ctx)
	if err != nil {
		return b, classify(err)
	}
	err = conn.SendBatch(ctx, batch).Close()
	if b.Conversation, _ = domain.ChatwootConversation(key); b.foreign() && err == nil {
		b.Foreign, err = reports(ctx, conn, c.OrgID, c.ThreadID, pendingOf(c, b.Messages))
	}
	conn.Release()
	if err != nil {
		return b, classify(err)
	}
	if err := json.Unmarshal(page, &b.Page); err != nil {
		return b, classify(err)
	}
	if b.Agent.Secrets, err = l.openSecrets(b.Agent.ID, sealed); err != nil {
		return b, classify(err)
	}
	st.OrgID, st.contact.known = c.OrgID, b.Contact.ID != ""
	st.agent.id, st.agent.orgID, st.agent.enabled = b.Agent.ID, b.Agent.OrgID, b.Agent.Enabled
	st.agent.suggest = b.Agent.SendMode == domain.Suggest
	st.Handling = cmp.Or(handling, st.Handling)
	b.Skip = st.guard("stored")
	return b, nil
}

// foreign reports whether the agent is to hear what another system calls the lines.
func (b *Briefing) foreign() bool {
	return b.Conversation != "" && b.Agent.Kind == domain.AgentWebSocket
}

// pendingOf are the lines that a claim's turn is to answer, the oldest first.
func pendingOf(c Claim, ms []domain.Message) (pending []domain.Message) {
	for _, m := range ms {
		if m.Direction == domain.Inbound && m.Seq >= c.FromSeq {
			pending = append(pending, m)
		}
	}
	return pending
}
