package account

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// AgentInput is what an owner says about an agent. Config is as the API takes it, with its write-only parts; nil leaves the
// stored one as it is, and so does a write-only part that is not given.
type AgentInput struct {
	Name        string
	Kind        domain.AgentKind
	Enabled     bool
	SendMode    domain.SendMode
	SettleMS    int
	MaxAttempts int
	// 0 leaves these as they are
	MaxConcurrent int
	GiveUpSeconds int
	Config        json.RawMessage
}

// over lays the input over an agent. It fails with Invalid and a problem for every bad field.
func (in AgentInput) over(a domain.Agent) (domain.Agent, error) {
	a.Name, a.Enabled, a.SendMode = strings.TrimSpace(in.Name), in.Enabled, in.SendMode
	a.SettleMS, a.MaxAttempts, a.UpdatedAt = in.SettleMS, in.MaxAttempts, now()
	a.MaxConcurrent, a.GiveUpSeconds = cmp.Or(in.MaxConcurrent, a.MaxConcurrent), cmp.Or(in.GiveUpSeconds, a.GiveUpSeconds)
	return a.Configure(in.Kind, in.Config)
}

// Agents lists an organisation's agents, the oldest first.
func (s *Service) Agents(ctx context.Context, org domain.OrgID) ([]domain.Agent, error) {
	return s.ledger.Agents(ctx, org)
}

// Agent reads an agent. It fails with NotFound, for another organisation's too.
func (s *Service) Agent(ctx context.Context, org domain.OrgID, id domain.AgentID) (domain.Agent, error) {
	a, err := s.ledger.Agent(ctx, org, id)
	return a, found(err, "agent")
}

// CreateAgent makes an agent. It answers nobody until a widget is bound to it. It fails with Invalid.
func (s *Service) CreateAgent(ctx context.Context, org domain.OrgID, in AgentInput) (domain.Agent, error) {
	a, err := newAgent(org, in)
	if err != nil {
		return domain.Agent{}, err
	}
	if err := s.ledger.CreateAgent(ctx, a); err != nil {
		return domain.Agent{}, err
	}
	return a, nil
}

func newAgent(org domain.OrgID, in AgentInput) (domain.Agent, error) {
	a := domain.NewAgent(org, in.Name, in.Kind)
	a.ID, a.CreatedAt = ledger.NewID[domain.AgentID](), now()
	return in.over(a)
}

// UpdateAgent changes an agent from its next turn on. Another kind starts with a config of its own. It fails with Invalid and NotFound.
func (s *Service) UpdateAgent(ctx context.Context, org domain.OrgID, id domain.AgentID, in AgentInput) (domain.Agent, error) {
	return s.ChangeAgent(ctx, org, id, func(domain.Agent) (AgentInput, error) { return in, nil })
}

// ChangeAgent is UpdateAgent with what change makes of the agent as it stands, while nobody else can change it. It fails as change
// does, too.
func (s *Service) ChangeAgent(ctx context.Context, org domain.OrgID, id domain.AgentID, change func(domain.Agent) (AgentInput, error)) (domain.Agent, error) {
	var a domain.Agent
	err := s.ledger.InTx(ctx, func(tx *ledger.Ledger) (err error) {
		if a, err = tx.LockAgent(ctx, org, id); err != nil {
			return found(err, "agent")
		}
		in, err := change(a)
		if err != nil {
			return err
		}
		if a, err = in.over(a); err != nil {
			return err
		}
		return tx.UpdateAgent(ctx, a)
	})
	if err != nil {
		return domain.Agent{}, err
	}
	return a, nil
}

// DeleteAgent removes an agent. Its widgets are left without one, so that people answer there. It fails with NotFound.
func (s *Service) DeleteAgent(ctx context.Context, org domain.OrgID, id domain.AgentID) error {
	return found(s.ledger.DeleteAgent(ctx, org, id), "agent")
}

// AgentUse is where an agent is bound and how it has been doing lately.
type AgentUse = ledger.AgentUse

// AgentUses tells of each of an organisation's agents where it is bound and how it has been doing.
func (s *Service) AgentUses(ctx context.Context, org domain.OrgID) (map[domain.AgentID]AgentUse, error) {
	return s.ledger.AgentUses(ctx, org)
}

// AgentHealths tells how an organisation's agents are doing; one that had no turn yet is not among them.
func (s *Service) AgentHealths(ctx context.Context, org domain.OrgID) (map[domain.AgentID]domain.AgentHealth, error) {
	return s.ledger.AgentHealths(ctx, org)
}

// AgentEvent is something that happened to an agent outside any thread.
type AgentEvent = ledger.AgentEvent

// AgentEvents reads what happened to an agent last, the newest first.
func (s *Service) AgentEvents(ctx context.Context, org domain.OrgID, id domain.AgentID) ([]AgentEvent, error) {
	return s.ledger.AgentEvents(ctx, org, id, 10)
}

// AgentAnswered notes that an agent was seen to answer, which closes its circuit.
func (s *Service) AgentAnswered(ctx context.Context, org domain.OrgID, id domain.AgentID) error {
	_, err := s.ledger.AgentAnswered(ctx, org, id)
	return err
}
