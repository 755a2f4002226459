package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/parley-chat/parley/domain"
)

// agentRow is an agent with its secrets as they lie in the table.
type agentRow struct {
	domain.Agent `bun:",extend"`
	Sealed       []byte `bun:"secrets"` // a JSON object
}

func (l *Ledger) openAgent(row agentRow) (domain.Agent, error) {
	var err error
	if row.Secrets, err = l.openSecrets(row.ID, row.Sealed); err != nil {
		err = &domain.Error{Kind: domain.Internal, Code: domain.CodeInternal, Err: err,
			Msg: fmt.Sprintf("the stored credentials of agent %q cannot be opened: was PARLEY_SECRET changed?", row.Name)}
	}
	return row.Agent, err
}

// Agents lists an organisation's agents, the oldest first, with their secrets.
func (l *Ledger) Agents(ctx context.Context, org domain.OrgID) ([]domain.Agent, error) {
	var rows []agentRow
	if err := l.NewSelect().Model(&rows).Where("org_id = ?", org).OrderExpr("id").Scan(ctx); err != nil {
		return nil, classify(err)
	}
	as := make([]domain.Agent, len(rows))
	for i, row := range rows {
		var err error
		if as[i], err = l.openAgent(row); err != nil {
			return nil, err
		}
	}
	return as, nil
}

// Agent reads an agent with its secrets. Another organisation's is NotFound.
func (l *Ledger) Agent(ctx context.Context, org domain.OrgID, id domain.AgentID) (domain.Agent, error) {
	row, err := lookup[agentRow](ctx, l, "id = $1::text::uuid AND org_id::text = $2", string(id), string(org))
	if err != nil {
		return domain.Agent{}, err
	}
	return l.openAgent(row)
}

// LockAgent is Agent for a transaction that will change it: nobody else can until it ends.
func (l *Ledger) LockAgent(ctx context.Context, org domain.OrgID, id domain.AgentID) (domain.Agent, error) {
	var row agentRow
	if err := l.NewSelect().For("UPDATE").Model(&row).Where("org_id = ? AND id = ?", org, id).Scan(ctx); err != nil {
		return domain.Agent{}, classify(err)
	}
	return l.openAgent(row)
}

// HasAgent reports whether the organisation has this agent and keeps it from being deleted until the transaction ends.
func (l *Ledger) HasAgent(ctx context.Context, org domain.OrgID, id domain.AgentID) (bool, error) {
	var found int
	err := classify(l.NewRaw(`SELECT 1 FROM agents WHERE org_id = ? AND id = ? FOR KEY SHARE`, org, id).Scan(ctx, &found))
	if domain.KindOf(err) == domain.NotFound {
		return false, nil
	}
	return found == 1, err
}

// CreateAgent stores a new agent, its secrets sealed.
func (l *Ledger) CreateAgent(ctx context.Context, a domain.Agent) error {
	sealed, err := l.sealSecrets(a.ID, a.Secrets)
	if err != nil {
		return classify(err)
	}
	_, err = l.NewInsert().Model(&agentRow{a, sealed}).Exec(ctx)
	return classify(err)
}

// UpdateAgent stores all of a but its organisation and birth. Another organisation's is NotFound.
func (l *Ledger) UpdateAgent(ctx context.Context, a domain.Agent) error {
	sealed, err := l.sealSecrets(a.ID, a.Secrets)
	if err != nil {
		return classify(err)
	}
	res, err := l.NewUpdate().Model(&agentRow{a, sealed}).ExcludeColumn("id", "org_id", "created_at").
		Where("org_id = ? AND id = ?", a.OrgID, a.ID).Exec(ctx)
	return one(res, err)
}

// DeleteAgent removes an agent. Its widgets and threads go on without one.
func (l *Ledger) DeleteAgent(ctx context.Context, org domain.OrgID, id domain.AgentID) error {
	res, err := l.NewDelete().Model((*domain.Agent)(nil)).Where("org_id = ? AND id = ?", org, id).Exec(ctx)
	return one(res, err)
}

// AgentUse is where an agent is bound and how it has been doing lately.
type AgentUse struct {
	Widgets       []string  // names, in order
	LastSuccessAt time.Time // zero = never; a little before, if it is older than its last thousand turns
	LastErrorAt   time.Time // zero = none among its last thousand turns
	LastError     string
}

// An error older than a thousand turns is no news; without the bound, an agent that never failed would be read from the beginning. So would one
// that has done nothing but fail for its last success: of such a one its health knows, but not to the second.
const agentUses = `
SELECT a.id, coalesce(good.finished_at, (SELECT h.last_success_at FROM agent_health h WHERE h.agent_id = a.id AND h.org_id = a.org_id)) AS last_success_at, bad.finished_at AS last_error_at, coalesce(bad.error, '') AS last_error,
       (SELECT coalesce(jsonb_agg(w.name ORDER BY lower(w.name), w.id), '[]') FROM widgets w WHERE w.agent_id = a.id AND w.org_id = a.org_id) AS widgets
FROM agents a
LEFT JOIN LATERAL (
    SELECT finished_at FROM (
        SELECT * FROM turns WHERE agent_id = a.id AND org_id = a.org_id ORDER BY started_at DESC LIMIT 1000
    ) recent WHERE status = 'done' ORDER BY started_at DESC LIMIT 1
) good ON true
LEFT JOIN LATERAL (
    SELECT finished_at, error FROM (
        SELECT * FROM turns WHERE agent_id = a.id AND org_id = a.org_id ORDER BY started_at DESC LIMIT 1000
    ) recent WHERE status = 'failed' ORDER BY started_at DESC LIMIT 1
) bad ON true
WHERE a.org_id = ?`

// AgentUses reads the use of each of an organisation's agents, in one statement.
func (l *Ledger) AgentUses(ctx context.Context, org domain.OrgID) (map[domain.AgentID]AgentUse, error) {
	var rows []struct {
		ID            domain.AgentID
		LastSuccessAt time.Time
		LastErrorAt   time.Time
		LastError     string
		Widgets       []string `bun:"type:jsonb"`
	}
	if err := l.NewRaw(agentUses, org).Scan(ctx, &rows); err != nil {
		return nil, classify(err)
	}
	uses := make(map[domain.AgentID]AgentUse, len(rows))
	for _, r := range rows {
		uses[r.ID] = AgentUse{Widgets: r.Widgets, LastSuccessAt: r.LastSuccessAt, LastErrorAt: r.LastErrorAt, LastError: r.LastError}
	}
	return uses, nil
}
