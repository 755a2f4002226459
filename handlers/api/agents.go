package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// Agent is an AI agent as the API shows it.
type Agent struct {
	ID            string      `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Name          string      `json:"name" doc:"What contacts see beside its lines." example:"Ada"`
	Kind          string      `json:"kind" doc:"The runtime that answers." example:"builtin"`
	Enabled       bool        `json:"enabled" doc:"A disabled agent gets no turns." example:"true"`
	SendMode      string      `json:"send_mode" enum:"autonomous,suggest" doc:"autonomous: replies go out at once. suggest: they wait for a person's yes." example:"autonomous"`
	SettleMS      int         `json:"settle_ms" doc:"Milliseconds to wait for more lines of a burst." example:"800"`
	MaxAttempts   int         `json:"max_attempts" doc:"How often a failing turn is tried before a person is asked." example:"3"`
	MaxConcurrent int         `json:"max_concurrent" doc:"How many turns it may have at once, on all nodes together." example:"16"`
	GiveUpSeconds int         `json:"give_up_seconds" doc:"How long its attempts at one answer may take in all." example:"300"`
	Config        AgentConfig `json:"config" doc:"By kind, defaults filled in. Secret values are shown as ********."`
	CreatedAt     Time        `json:"created_at"`
	UpdatedAt     Time        `json:"updated_at"`
}

func showAgent(a domain.Agent) Agent {
	return Agent{
		ID: string(a.ID), Name: a.Name, Kind: string(a.Kind), Enabled: a.Enabled, SendMode: string(a.SendMode), SettleMS: a.SettleMS,
		MaxAttempts: a.MaxAttempts, MaxConcurrent: a.MaxConcurrent, GiveUpSeconds: a.GiveUpSeconds, Config: AgentConfig(a.DisplayConfig()), CreatedAt: Time(a.CreatedAt), UpdatedAt: Time(a.UpdatedAt),
	}
}

// AgentConfig is the JSON object that configures a kind.
type AgentConfig json.RawMessage

func (c AgentConfig) MarshalJSON() ([]byte, error)  { return json.RawMessage(c).MarshalJSON() }
func (c *AgentConfig) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(c).UnmarshalJSON(b) }
func (AgentConfig) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Examples: []any{map[string]any{"greeting": "Hello! What can I do for you?"}}}
}

// AgentFields is what can be set of an agent.
type AgentFields struct {
	Name          *string           `json:"name,omitempty" doc:"1 to 80 characters." example:"Ada"`
	Kind          *domain.AgentKind `json:"kind,omitempty" doc:"The runtime that answers. Another kind starts with a config of its own." example:"builtin"`
	Enabled       *bool             `json:"enabled,omitempty" example:"true"`
	SendMode      *domain.SendMode  `json:"send_mode,omitempty" enum:"autonomous,suggest" example:"autonomous"`
	SettleMS      *int              `json:"settle_ms,omitempty" minimum:"0" maximum:"10000" doc:"Milliseconds to wait for more lines of a burst." example:"800"`
	MaxAttempts   *int              `json:"max_attempts,omitempty" minimum:"1" maximum:"10" example:"3"`
	MaxConcurrent *int              `json:"max_concurrent,omitempty" minimum:"1" maximum:"1000" doc:"How many turns it may have at once, on all nodes together." example:"16"`
	GiveUpSeconds *int              `json:"give_up_seconds,omitempty" minimum:"10" maximum:"3600" doc:"How long its attempts at one answer may take in all." example:"300"`
	Config        *AgentConfig      `json:"config,omitempty" doc:"builtin: greeting, min_confidence (0 to 1; below it the agent offers a person instead of answering). openai: base_url, api_key (write-only), model, system_prompt, temperature, max_output_tokens, max_steps, timeout_seconds, input_cost_per_mtok, output_cost_per_mtok, turn_budget_usd, mcp_servers (at most 5 of {name, url, allow: names of the tools the model may use, each followed by a classification where it is not the server's, as in refund INTERNAL, classification: PUBLIC if it is for turns with visitors, timeout_seconds, headers (write-only)}). websocket: url, connect_timeout_seconds, timeout_seconds, max_responses, headers (write-only). http: url, secret (write-only), timeout_seconds. Keys that are absent stay as they are, null means the default. A write-only value of ******** or an empty one keeps what is stored, null forgets it."`
}

// over lays what is given over an agent's values.
func (f AgentFields) over(in account.AgentInput) account.AgentInput {
	lay(&in.Name, f.Name)
	lay(&in.Kind, f.Kind)
	lay(&in.Enabled, f.Enabled)
	lay(&in.SendMode, f.SendMode)
	lay(&in.SettleMS, f.SettleMS)
	lay(&in.MaxAttempts, f.MaxAttempts)
	lay(&in.MaxConcurrent, f.MaxConcurrent)
	lay(&in.GiveUpSeconds, f.GiveUpSeconds)
	if f.Config != nil {
		in.Config = json.RawMessage(*f.Config)
	}
	return in
}

// AgentCreate is the body that makes an agent.
type AgentCreate struct{ AgentFields }

// newAgent is an agent nobody has said anything of yet.
func newAgent() account.AgentInput {
	return agentInput(domain.NewAgent("", "", domain.AgentKinds()[0]))
}

// agentInput is an agent's values with its config left as it is.
func agentInput(a domain.Agent) account.AgentInput {
	return account.AgentInput{Name: a.Name, Kind: a.Kind, Enabled: a.Enabled, SendMode: a.SendMode, SettleMS: a.SettleMS,
		MaxAttempts: a.MaxAttempts, MaxConcurrent: a.MaxConcurrent, GiveUpSeconds: a.GiveUpSeconds}
}

type createAgentRequest struct {
	Body AgentCreate `example:"{\"name\":\"Ada\",\"kind\":\"builtin\",\"config\":{\"greeting\":\"Hello! What can I do for you?\"}}"`
}

type updateAgentRequest struct {
	Path
	Match
	Body AgentFields `example:"{\"settle_ms\":0,\"send_mode\":\"suggest\"}"`
}

func (a *API) agentOperations() {
	const tag = tagAgents
	add(a, operation(http.MethodGet, "/agents", "list-agents", tag, "List agents", "All agents of the organisation, the oldest first."), a.listAgents)
	add(a, creates(ownerOperation(http.MethodPost, "/agents", "create-agent", tag, "Create an agent", "It answers nobody until a widget is bound to it.")), a.createAgent)
	add(a, operation(http.MethodGet, "/agents/{id}", "get-agent", tag, "Read an agent", ""), a.getAgent)
	add(a, changes(ownerOperation(http.MethodPatch, "/agents/{id}", "update-agent", tag, "Change an agent", "Only the fields given change, from the agent's next turn on.")), a.updateAgent)
	add(a, ownerOperation(http.MethodDelete, "/agents/{id}", "delete-agent", tag, "Delete an agent", "Widgets bound to it are left without one."), a.deleteAgent)
	d := newAgent()
	a.expect("AgentCreate", []string{"name"},
		map[string]any{"kind": d.Kind, "enabled": d.Enabled, "send_mode": d.SendMode, "settle_ms": d.SettleMS, "max_attempts": d.MaxAttempts,
			"max_concurrent": d.MaxConcurrent, "give_up_seconds": d.GiveUpSeconds})
	choose(a, "AgentCreate", "kind", domain.AgentKinds())
	choose(a, "AgentFields", "kind", domain.AgentKinds())
}

func (a *API) listAgents(ctx context.Context, in *struct{ Paging }) (*Answer[List[Agent]], error) {
	all, err := a.Account.Agents(ctx, callerOf(ctx).scope())
	if err != nil {
		return nil, err
	}
	agents, next, err := page(all, func(a domain.Agent) domain.AgentID { return a.ID }, in.Paging)
	return list(agents, showAgent, next), err
}

func (a *API) createAgent(ctx context.Context, in *createAgentRequest) (*Tagged[Agent], error) {
	made, err := a.Account.CreateAgent(ctx, callerOf(ctx).scope(), in.Body.over(newAgent()))
	return tagged(showAgent(made)), err
}

func (a *API) getAgent(ctx context.Context, in *struct{ Path }) (*Tagged[Agent], error) {
	agent, err := a.agent(ctx, in.ID)
	return tagged(showAgent(agent)), err
}

func (a *API) updateAgent(ctx context.Context, in *updateAgentRequest) (*Tagged[Agent], error) {
	id, err := domain.ParseID[domain.AgentID](in.ID)
	if err != nil {
		return nil, err
	}
	changed, err := a.Account.ChangeAgent(ctx, callerOf(ctx).scope(), id, func(now domain.Agent) (account.AgentInput, error) {
		return in.Body.over(agentInput(now)), in.check(showAgent(now))
	})
	return tagged(showAgent(changed)), err
}

func (a *API) deleteAgent(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.AgentID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.DeleteAgent(ctx, callerOf(ctx).scope(), id)
}

// agent reads the agent that a path names.
func (a *API) agent(ctx context.Context, path string) (domain.Agent, error) {
	id, err := domain.ParseID[domain.AgentID](path)
	if err != nil {
		return domain.Agent{}, err
	}
	return a.Account.Agent(ctx, callerOf(ctx).scope(), id)
}
