package api

import (
	"context"
	"net/http"
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
		"For monitoring. Also served without the version, at `/agents/status`, and there without a key as well while only one organisation "+
			"lives on the server: `last_error` then tells only that there was one."), a.agentStatus)
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
