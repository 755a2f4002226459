package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// WidgetKeyOf finds the key of the widget that a name stands for: its key, its id, or the id of an agent, if exactly one enabled widget is
// bound to that. It fails with NotFound.
func (l *Ledger) WidgetKeyOf(ctx context.Context, name string) (key string, err error) {
	id, _ := domain.ParseID[domain.WidgetID](strings.ToLower(clean(name)))
	err = l.NewRaw(`SELECT key FROM widgets WHERE key = ?0 OR id = ?1
UNION ALL SELECT min(key) FROM widgets WHERE agent_id = ?1 AND enabled HAVING count(*) = 1 LIMIT 1`, clean(name), bun.NullZero(id)).Scan(ctx, &key)
	return key, classify(err)
}

// SessionByAnyToken finds a live session of whatever widget by its token's hash, and the widget's key. It fails with NotFound.
func (l *Ledger) SessionByAnyToken(ctx context.Context, tokenHash []byte) (id domain.SessionID, key string, err error) {
	err = l.NewRaw(`SELECT s.id, w.key FROM sessions s JOIN widgets w ON w.id = s.widget_id WHERE s.token_hash = ? AND s.expires_at > now()`,
		tokenHash).Scan(ctx, &id, &key)
	return id, key, classify(err)
}

// BeginThread begins another thread with a contact over a widget's channel. Until something is said in it, nobody sees it.
func (l *Ledger) BeginThread(ctx context.Context, s domain.Session) (domain.Thread, error) {
	var t domain.Thread
	id := NewID[domain.ThreadID]()
	err := l.NewRaw(`INSERT INTO threads (id, org_id, contact_id, widget_id, channel, correlation_key, handling)
VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *`,
		id, s.OrgID, s.ContactID, s.WidgetID, domain.ChannelWebchat, asideKey(s.ContactID, domain.ChannelWebchat, id), domain.HandlingAgent).Scan(ctx, &t)
	return t, classify(err)
}

// asideKey is the correlation key of a thread beside the contact's first over the channel.
func asideKey(contact domain.ContactID, channel string, id domain.ThreadID) string {
	return CorrelationKey(contact, channel) + ":" + string(id)
}

// Begun is a thread as the contact knows it.
type Begun struct {
	domain.Thread `bun:",extend"`
	First         string // what they said first, or its beginning
}

// BegunFilter says which of a contact's threads to list.
type BegunFilter struct {
	Query    string    // in the title, or in what they said first
	Before   time.Time // with BeforeID: only what stands after this thread, newest first
	BeforeID domain.ThreadID
	Limit    int
}

// BegunThreads lists a contact's threads over a channel in which something was said, the newest first.
func (l *Ledger) BegunThreads(ctx context.Context, org domain.OrgID, contact domain.ContactID, channel string, f BegunFilter) ([]Begun, error) {
	ts := []Begun{}
	q := l.NewSelect().TableExpr("threads AS t").ColumnExpr("t.*, coalesce(left(said.content, 200), '') AS first").
		Join("LEFT JOIN LATERAL (SELECT m.content FROM messages m WHERE m.thread_id = t.id AND m.direction = 'inbound' ORDER BY m.seq LIMIT 1) said ON true").
		Where("t.org_id = ? AND t.contact_id = ? AND t.channel = ? AND t.last_seq > 0", org, contact, channel).
		OrderExpr("t.last_message_at DESC, t.id DESC").Limit(int64(f.Limit))
	if f.Query != "" {
		q.Where("(t.title ILIKE ?0 OR said.content ILIKE ?0)", like(f.Query))
	}
	if !f.Before.IsZero() {
		q.Where("(t.last_message_at, t.id) < (?, ?)", f.Before, f.BeforeID)
	}
	err := q.Scan(ctx, &ts)
	return ts, classify(err)
}

// SetTitle names a thread. Another contact's is NotFound.
func (l *Ledger) SetTitle(ctx context.Context, org domain.OrgID, contact domain.ContactID, id domain.ThreadID, title string) error {
	known, _ := domain.ParseID[domain.ThreadID](strings.ToLower(clean(string(id))))
	res, err := l.NewRaw(`UPDATE threads SET title = ? WHERE org_id = ? AND contact_id = ? AND id = ?`,
		clean(title), org, contact, bun.NullZero(known)).Exec(ctx)
	return one(res, err)
}
