package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

// ChannelConstruct is how an organisation's own people talk to its agents.
const ChannelConstruct = "construct"

// Operation says which session an operator wants.
type Operation struct {
	OrgID    domain.OrgID
	External string
	Name     string
	Session  string
	Agent    string // id or name; empty: the organisation's first
	Title    string // empty: as it is
}

func operatorKey(session string) string { return ChannelConstruct + ":" + session }

// OperatorThread finds or begins the thread of an operator's session. It fails with NotFound when there is no such agent.
func (l *Ledger) OperatorThread(ctx context.Context, o Operation) (t domain.Thread, err error) {
	var agent domain.AgentID
	if err := l.NewRaw(`SELECT id FROM agents WHERE org_id = ?0 AND enabled AND (?1 = '' OR id::text = lower(?1) OR lower(name) = lower(?1)) ORDER BY id LIMIT 1`,
		o.OrgID, clean(o.Agent)).Scan(ctx, &agent); err != nil {
		return t, classify(err)
	}
	var contact domain.ContactID
	if err := l.NewRaw(`INSERT INTO contacts (id, org_id, external_id, name, stub) VALUES (?, ?, ?, ?, false)
ON CONFLICT (org_id, external_id) DO UPDATE SET name = EXCLUDED.name RETURNING id`,
		NewID[domain.ContactID](), o.OrgID, o.External, clean(o.Name)).Scan(ctx, &contact); err != nil {
		return t, classify(err)
	}
	err = l.NewRaw(`INSERT INTO threads (id, org_id, contact_id, agent_id, channel, correlation_key, handling, title)
VALUES (?0, ?1, ?2, ?3, ?4, ?5, 'agent', ?6)
ON CONFLICT (org_id, correlation_key) DO UPDATE SET title = coalesce(nullif(EXCLUDED.title, ''), threads.title),
    agent_id = CASE WHEN ?7 THEN EXCLUDED.agent_id ELSE coalesce(threads.agent_id, EXCLUDED.agent_id) END
RETURNING *`, NewID[domain.ThreadID](), o.OrgID, contact, agent, ChannelConstruct, operatorKey(clean(o.Session)), clean(o.Title), o.Agent != "").Scan(ctx, &t)
	return t, classify(err)
}

// OperatorSession is a session as a list shows it.
type OperatorSession struct {
	domain.Thread `bun:",extend"`
	TurnID        domain.TurnID `bun:",nullzero"` // that runs, with RunningSince
	RunningSince  time.Time     `bun:",nullzero"`
	Running       bool          // a turn runs or is to run
	Failed        bool          // the latest came to nothing
}

// Name is what the operator calls the session.
func (s OperatorSession) Name() string { return strings.TrimPrefix(s.CorrelationKey, operatorKey("")) }

// OperatorSessions lists an organisation's sessions, or the one that is named, the latest used first.
func (l *Ledger) OperatorSessions(ctx context.Context, org domain.OrgID, session string) ([]OperatorSession, error) {
	ss := []OperatorSession{}
	q := l.NewSelect().TableExpr("threads AS t").ColumnExpr("t.*").
		ColumnExpr("coalesce(d.status IN ('queued', 'running'), false) AS running, coalesce(d.status = 'dead', false) AS failed").
		ColumnExpr("r.id AS turn_id, r.started_at AS running_since").
		Join("LEFT JOIN LATERAL (SELECT id, status FROM dispatches WHERE thread_id = t.id ORDER BY created_at DESC, id DESC LIMIT 1) AS d ON true").
		Join("LEFT JOIN turns AS r ON r.dispatch_id = d.id AND r.status = 'running'").
		Where("t.org_id = ? AND t.channel = ?", org, ChannelConstruct).
		OrderExpr("coalesce(t.last_message_at, t.created_at) DESC, t.id DESC").Limit(500)
	if session != "" {
		q.Where("t.correlation_key = ?", operatorKey(clean(session)))
	}
	return ss, classify(q.Scan(ctx, &ss))
}

// NameOperatorSession gives a session a name. It fails with NotFound.
func (l *Ledger) NameOperatorSession(ctx context.Context, org domain.OrgID, session, name string) error {
	res, err := l.NewRaw(`UPDATE threads SET title = ? WHERE org_id = ? AND correlation_key = ?`, clean(name), org, operatorKey(clean(session))).Exec(ctx)
	return one(res, err)
}

// DeleteOperatorSession removes a session with all that was said in it. It fails with NotFound.
func (l *Ledger) DeleteOperatorSession(ctx context.Context, org domain.OrgID, session string) error {
	res, err := l.NewRaw(`DELETE FROM threads WHERE org_id = ? AND correlation_key = ?`, org, operatorKey(clean(session))).Exec(ctx)
	return one(res, err)
}
