package ledger

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// EnsureThread finds or begins the thread with a contact over a widget's channel. Until something is said in it, nobody sees it.
// It fails with ErrJoined when the contact has become part of another one.
func (l *Ledger) EnsureThread(ctx context.Context, s domain.Session) (domain.Thread, error) {
	key := CorrelationKey(s.ContactID, domain.ChannelWebchat)
	var t domain.Thread
	err := l.NewRaw(`INSERT INTO threads (id, org_id, contact_id, widget_id, channel, correlation_key, handling)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (org_id, correlation_key) DO UPDATE SET widget_id = EXCLUDED.widget_id WHERE threads.widget_id IS DISTINCT FROM EXCLUDED.widget_id
RETURNING *`,
		NewID[domain.ThreadID](), s.OrgID, s.ContactID, s.WidgetID, domain.ChannelWebchat, key, domain.HandlingAgent).Scan(ctx, &t)
	if domain.KindOf(classify(err)) == domain.NotFound { // it is there already, unchanged
		return l.ThreadByKey(ctx, s.OrgID, key)
	}
	if isOrphan(err) { // the stub was joined to a known contact meanwhile
		return t, joined()
	}
	return t, classify(err)
}

// CorrelationKey names the one thread with a contact over a channel, so that a returning visitor resumes it.
func CorrelationKey(contact domain.ContactID, channel string) string {
	return "contact:" + string(contact) + ":" + channel
}

// ThreadByKey reads a thread by its correlation key.
func (l *Ledger) ThreadByKey(ctx context.Context, org domain.OrgID, key string) (domain.Thread, error) {
	return lookup[domain.Thread](ctx, l, "org_id = $1::text::uuid AND correlation_key = $2", string(org), clean(key))
}

// Thread reads a thread. Another organisation's is NotFound.
func (l *Ledger) Thread(ctx context.Context, org domain.OrgID, id domain.ThreadID) (domain.Thread, error) {
	return lookup[domain.Thread](ctx, l, "id = $1::text::uuid AND org_id::text = $2", string(id), string(org))
}

// Conversation is a thread as the inbox shows it.
type Conversation struct {
	domain.Thread  `bun:",extend"`
	ContactName    string
	ContactEmail   string
	ContactPlace   domain.Place `bun:"type:jsonb"`
	WidgetName     string
	AgentName      string // of the agent that answers by itself; empty: none is bound
	AssigneeName   string
	LastContent    string
	LastAuthorKind domain.AuthorKind
	LastAuthorName string
	LastFile       string // name of the last message's first attachment
	Unanswered     bool   // the agent's, yet no turn will answer the last line, as no agent is bound or allowed to, or none has for too long
}

// unanswered is the SQL of Conversation.Unanswered, for a threads row called t.
const unanswered = `(t.handling = 'agent' AND t.last_inbound > t.answered
    AND (t.offered_at IS NOT NULL OR NOT EXISTS (SELECT FROM dispatches d WHERE d.thread_id = t.id AND d.status IN ('queued', 'running'))))`

// ConversationFilter says which conversations to list. Zero fields do not filter.
type ConversationFilter struct {
	Handling []domain.Handling
	Waiting  bool // only those that want a person: waiting or unanswered
	Served   bool // only those that an agent is answering
	Assignee domain.UserID
	Channel  string
	Contact  domain.ContactID
	Query    string    // in the contact's name, addresses and external id, and in what was said
	Before   time.Time // with BeforeID: only what stands after this conversation, newest first
	BeforeID domain.ThreadID
	Limit    int

	Unassigned bool // only those that no person of the organisation has
}

// Conversations lists an organisation's threads in which something was said or a person was asked for, the newest first.
func (l *Ledger) Conversations(ctx context.Context, org domain.OrgID, f ConversationFilter) ([]Conversation, error) {
	q := l.conversations().Where("t.org_id = ? AND t.last_message_at IS NOT NULL", org).OrderExpr("t.last_message_at DESC, t.id DESC").Limit(int64(f.Limit))
	if len(f.Handling) > 0 {
		q.Where("t.handling IN (?)", bun.List(f.Handling))
	}
	if f.Waiting {
		q.Where("(t.handling = 'waiting' OR " + unanswered + ")")
	}
	if f.Served {
		q.Where("t.handling = 'agent' AND NOT " + unanswered)
	}
	if f.Assignee != "" {
		q.Where("t.assignee_id = ?", f.Assignee)
	}
	if f.Unassigned {
		q.Where("t.assignee_id IS NULL")
	}
	if f.Channel != "" {
		q.Where("t.channel = ?", f.Channel)
	}
	if f.Contact != "" {
		q.Where("t.contact_id = ?", f.Contact)
	}
	if f.Query != "" {
		if err := l.matching(ctx, q, org, f.Query); err != nil {
			return nil, classify(err)
		}
	}
	if !f.Before.IsZero() {
		q.Where("(t.last_message_at, t.id) < (?, ?)", f.Before, f.BeforeID)
	}
	cs := []Conversation{}
	return cs, classify(q.Scan(ctx, &cs))
}

// Conversation reads one thread as the inbox shows it. Another organisation's is NotFound.
func (l *Ledger) Conversation(ctx context.Context, org domain.OrgID, id domain.ThreadID) (Conversation, error) {
	var c Conversation
	err := l.conversations().Where("t.org_id = ? AND t.id = ?", org, id).Scan(ctx, &c)
	return c, classify(err)
}

func (l *Ledger) conversations() *bun.SelectQuery {
	return l.NewSelect().TableExpr("threads AS t").ColumnExpr("t.*").
		ColumnExpr("coalesce(c.name, '') AS contact_name, coalesce(c.email, '') AS contact_email, coalesce(c.profile->'geo', '{}') AS contact_place").
		ColumnExpr("coalesce(w.name, '') AS widget_name, coalesce(a.name, '') AS agent_name, coalesce(u.name, '') AS assignee_name").
		ColumnExpr("coalesce(left(m.content, 240), '') AS last_content, coalesce(m.attachments->0->>'name', '') AS last_file, coalesce(m.author_kind, '') AS last_author_kind").
		ColumnExpr("coalesce(m.author_name, '') AS last_author_name, " + unanswered + " AS unanswered").
		Join("LEFT JOIN contacts AS c ON c.id = t.contact_id").
		Join("LEFT JOIN widgets AS w ON w.id = t.widget_id").
		Join("LEFT JOIN agents AS a ON a.id = coalesce(w.agent_id, t.agent_id)").
		Join("LEFT JOIN users AS u ON u.id = t.assignee_id").
		Join("LEFT JOIN messages AS m ON m.thread_id = t.id AND m.seq = t.last_seq")
}

// Tally counts an organisation's conversations by who handles them.
type Tally struct {
	Handling map[domain.Handling]int
	Waiting  int // that want a person: waiting or unanswered
	Served   int // that an agent is answering
	Mine     int // assigned to the user asked for
}

// What nobody of the team has seen, of the threads that a person has or that want one, each kind by its own index.
const unseen = `SELECT count(*) FROM (
    (SELECT FROM threads t WHERE t.org_id = ?0 AND t.handling IN ('waiting', 'human') AND t.last_seq > t.team_read AND t.last_message_at IS NOT NULL LIMIT ?1)
    UNION ALL
    (SELECT FROM threads t WHERE t.org_id = ?0 AND t.last_seq > t.team_read AND t.last_message_at IS NOT NULL AND ` + unanswered + ` LIMIT ?1)
    LIMIT ?1
) AS t`

// Unseen counts an organisation's threads with something that somebody of the team should see, up to most.
func (l *Ledger) Unseen(ctx context.Context, org domain.OrgID, most int) (n int, err error) {
	err = l.NewRaw(unseen, org, most).Scan(ctx, &n)
	return n, classify(err)
}

// Tally counts conversations for the inbox's tabs.
func (l *Ledger) Tally(ctx context.Context, org domain.OrgID, user domain.UserID) (Tally, error) {
	var rows []struct {
		Handling          domain.Handling
		Total, Left, Mine int
	}
	err := l.NewRaw(`SELECT handling, count(*) AS total, count(*) FILTER (WHERE unanswered) AS left,
count(*) FILTER (WHERE assignee_id::text = ?) AS mine
FROM (SELECT t.*, `+unanswered+` AS unanswered FROM threads t WHERE t.org_id = ? AND t.last_message_at IS NOT NULL) AS t
GROUP BY handling`, string(user), org).Scan(ctx, &rows)
	t := Tally{Handling: map[domain.Handling]int{}}
	for _, r := range rows {
		t.Handling[r.Handling] = r.Total
		t.Waiting += r.Left
		switch r.Handling {
		case domain.HandlingWaiting:
			t.Waiting += r.Total
		case domain.HandlingAgent:
			t.Served = r.Total - r.Left
		}
		t.Mine += r.Mine
	}
	return t, classify(err)
}
