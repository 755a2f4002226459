package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// AgentTest is the outcome of trying an agent out.
type AgentTest struct {
	OK              bool    `json:"ok" doc:"Whether it answered." example:"true"`
	ConnectMS       float64 `json:"connect_ms" doc:"Milliseconds until it took the request." example:"12.4"`
	FirstResponseMS float64 `json:"first_response_ms" doc:"Milliseconds from then until its first answer; 0 without one." example:"310.8"`
	Response        string  `json:"response,omitempty" doc:"What it said." example:"Hello! What can I do for you?"`
	Error           string  `json:"error,omitempty" doc:"What went wrong, in one sentence." example:""`
}

// Reloaded is how many agents stand ready.
type Reloaded struct {
	Reloaded int `json:"reloaded" doc:"How many agents the organisation has." example:"2"`
}

// AgentStatus is how an agent has been doing.
type AgentStatus struct {
	ID            string  `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Name          string  `json:"name" example:"Ada"`
	Kind          string  `json:"kind" example:"builtin"`
	Status        string  `json:"status" enum:"ok,failing,disabled,unknown" doc:"How its latest turn ended; unknown before the first." example:"ok"`
	LastSuccessAt *Time   `json:"last_success_at" nullable:"true" doc:"When a turn of its last ended well."`
	LastError     *string `json:"last_error" nullable:"true" doc:"Why a turn of its last failed." example:"could not connect"`
	Circuit       string  `json:"circuit" enum:"closed,open,half_open" doc:"open: it failed five times in a row, and what is due waits until one turn, tried every five seconds, comes off. half_open: that turn is on its way." example:"closed"`
	OpenSince     *Time   `json:"open_since" nullable:"true" doc:"Since when its circuit is open."`
	Waiting       int     `json:"waiting" doc:"How many threads wait for their turn." example:"0"`
}

// AgentStatuses is how all agents have been doing.
type AgentStatuses struct {
	Agents []AgentStatus `json:"agents"`
}

func (a *API) agentTestOperations() {
	const tag = tagAgents
	const about = "Asks the agent one question outside any thread and waits at most ten seconds. That it failed is an answer too: `ok` is false and `error` says why. " +
		"A disabled agent can be tested."
	add(a, ownerOperation(http.MethodPost, "/agents/{id}/test", "test-agent", tag, "Try an agent out", about), a.testAgent)
	add(a, ownerOperation(http.MethodGet, "/agents/{id}/test", "test-agent-by-get", tag, "Try an agent out (GET)", about), a.testAgent)
	add(a, ownerOperation(http.MethodPost, "/agents/test/{id}", "test-agent-alias", tag, "Try an agent out (other path)", about), a.testAgent)
	add(a, ownerOperation(http.MethodGet, "/agents/test/{id}", "test-agent-alias-by-get", tag, "Try an agent out (other path, GET)", about), a.testAgent)
	add(a, operation(http.MethodPost, "/agents/reload", "reload-agents", tag, "Reload agents",
		"Every turn reads its agent's settings afresh, so there is nothing to reload: this tells how many agents there are."), a.reloadAgents)
	add(a, operation(http.MethodGet, "/agents/status", "get-agent-status", tag, "How agents are doing",
		"For monitoring. Also served without the version, at `/agents/status`."), a.agentStatus)
}

func (a *API) testAgent(ctx context.Context, in *struct{ Path }) (*Answer[AgentTest], error) {
	agent, err := a.agent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &Answer[AgentTest]{AgentTest(a.TryAgent(ctx, agent))}, nil
}

func (a *API) reloadAgents(ctx context.Context, _ *struct{}) (*Answer[Reloaded], error) {
	agents, err := a.Account.Agents(ctx, callerOf(ctx).scope())
	return &Answer[Reloaded]{Reloaded{len(agents)}}, err
}

func (a *API) agentStatus(ctx context.Context, _ *struct{}) (*Answer[AgentStatuses], error) {
	org := callerOf(ctx).scope()
	agents, err := a.Account.Agents(ctx, org)
	if err != nil {
		return nil, err
	}
	uses, err := a.Account.AgentUses(ctx, org)
	if err != nil {
		return nil, err
	}
	healths, err := a.Account.AgentHealths(ctx, org)
	statuses := make([]AgentStatus, 0, len(agents))
	for _, agent := range agents {
		statuses = append(statuses, showStatus(agent, uses[agent.ID], healths[agent.ID]))
	}
	return &Answer[AgentStatuses]{AgentStatuses{statuses}}, err
}

func showStatus(a domain.Agent, u account.AgentUse, h domain.AgentHealth) AgentStatus {
	s := AgentStatus{
		ID: string(a.ID), Name: a.Name, Kind: string(a.Kind), LastSuccessAt: timeOrNull(u.LastSuccessAt), LastError: orNull(u.LastError),
		Status: "ok", Circuit: string(cmp.Or(h.Circuit, domain.CircuitClosed)), OpenSince: timeOrNull(h.OpenedAt), Waiting: h.Waiting,
	}
	switch never := (time.Time{}); {
	case !a.Enabled:
		s.Status = "disabled"
	case u.LastErrorAt.After(u.LastSuccessAt), !h.OpenedAt.IsZero():
		s.Status = "failing"
	case u.LastSuccessAt == never:
		s.Status = "unknown"
	}
	return s
}
