package mcp

import (
	"cmp"
	"context"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
)

// Agent is an AI agent of the organisation as a model sees it: nothing of how it is configured.
type Agent struct {
	ID       string   `json:"id" jsonschema:"UUID of the agent; test_agent wants it as agent_id"`
	Name     string   `json:"name" jsonschema:"what visitors see beside its lines"`
	Kind     string   `json:"kind" jsonschema:"the runtime that answers"`
	Enabled  bool     `json:"enabled"`
	SendMode string   `json:"send_mode" jsonschema:"autonomous: it answers by itself; suggest: its drafts wait for a person"`
	Widgets  []string `json:"widgets" jsonschema:"names of the chats it answers in; none: it answers nobody"`
}

// Agents is a page of agents.
type Agents struct {
	Agents     []Agent `json:"agents" jsonschema:"the oldest first"`
	NextCursor string  `json:"next_cursor,omitempty" jsonschema:"give it as cursor to get the next page; absent at the end"`
}

// AgentName names an agent.
type AgentName struct {
	AgentID string `json:"agent_id" jsonschema:"UUID of the agent"`
}

func (s *Surface) agentTools(server *mcp.Server) {
	add(s, server, tool{name: "list_agents", title: "List AI agents", effect: reads,
		about: "Lists the organisation's AI agents and where they answer."}, s.listAgents)
	add(s, server, tool{name: "test_agent", title: "Try an AI agent out", effect: talks, owners: true,
		about: "Asks an AI agent one question outside any conversation and waits at most ten seconds. That it failed is a result too: ok is false and error says why. It may cost what an answer costs."}, s.testAgent)
}

func (s *Surface) listAgents(ctx context.Context, in Paging) (Agents, error) {
	limit, err := limitOf(in.Limit)
	if err != nil {
		return Agents{}, err
	}
	org := callerOf(ctx).scope()
	all, err := s.Account.Agents(ctx, org)
	if err != nil {
		return Agents{}, err
	}
	uses, err := s.Account.AgentUses(ctx, org)
	if err != nil {
		return Agents{}, err
	}
	slices.SortFunc(all, func(a, b domain.Agent) int { return cmp.Compare(a.ID, b.ID) }) // the order in which they were made
	if in.Cursor != "" {
		last, err := domain.ParseID[domain.AgentID](in.Cursor)
		if err != nil {
			return Agents{}, domain.InvalidField("cursor", "is not one that list_agents has given")
		}
		all = slices.DeleteFunc(all, func(a domain.Agent) bool { return a.ID <= last })
	}
	shown := Agents{Agents: []Agent{}}
	for _, a := range all[:min(len(all), limit)] {
		shown.Agents = append(shown.Agents, Agent{string(a.ID), a.Name, string(a.Kind), a.Enabled, string(a.SendMode), append([]string{}, uses[a.ID].Widgets...)})
	}
	if len(all) > limit {
		shown.NextCursor = string(all[limit-1].ID)
	}
	return shown, nil
}

func (s *Surface) testAgent(ctx context.Context, in AgentName) (domain.AgentTest, error) {
	missing := domain.NotFoundf("there is no agent %.40q: list_agents tells the ids there are", in.AgentID)
	id, err := domain.ParseID[domain.AgentID](in.AgentID)
	if err != nil {
		return domain.AgentTest{}, missing
	}
	a, err := s.Account.Agent(ctx, callerOf(ctx).scope(), id)
	switch {
	case err != nil && domain.KindOf(err) == domain.NotFound:
		return domain.AgentTest{}, missing
	case err != nil:
		return domain.AgentTest{}, err
	}
	return s.TryAgent(ctx, a), nil
}
