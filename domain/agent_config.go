package domain

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Masked stands for a stored secret wherever a config is shown. Sent back, it means "keep what is stored".
const Masked = "********"

// configRules is how the config of one kind is read.
type configRules struct {
	read    func(*configReader) any // the typed config with its defaults
	numbers []string                // keys whose form fields hold a number
	headers bool                    // it has write-only headers
	secrets []string                // its write-only texts
	servers bool                    // it has servers with tools, and they write-only headers
}

// agentKinds lists the kinds this version runs, the default first; agentRules has an entry for each.
var (
	agentKinds = []AgentKind{AgentBuiltin, AgentOpenAI, AgentWebSocket, AgentHTTP}
	agentRules = map[AgentKind]configRules{
		AgentBuiltin: {read: func(r *configReader) any { return r.builtin() }, numbers: []string{"min_confidence"}},
		AgentOpenAI: {
			read: func(r *configReader) any { return r.openAI() },
			numbers: []string{"temperature", "max_output_tokens", "max_steps", "timeout_seconds",
				"input_cost_per_mtok", "output_cost_per_mtok", "turn_budget_usd"},
			secrets: []string{APIKeySecret},
			servers: true,
		},
		AgentHTTP: {
			read:    func(r *configReader) any { return r.http() },
			numbers: []string{"timeout_seconds"},
			secrets: []string{SigningSecret},
		},
		AgentWebSocket: {
			read:    func(r *configReader) any { return r.webSocket() },
			numbers: []string{"connect_timeout_seconds", "timeout_seconds", "max_responses"},
			headers: true,
		},
	}
)

// AgentKinds are the kinds this version runs, the default first.
func AgentKinds() []AgentKind { return slices.Clone(agentKinds) }

// NewAgent is an agent as it starts out: enabled, autonomous, default timing. Configure gives it its config.
func NewAgent(org OrgID, name string, kind AgentKind) Agent {
	return Agent{
		OrgID: org, Name: name, Kind: kind, Enabled: true, SendMode: Autonomous,
		SettleMS: int(DefaultSettle / time.Millisecond), MaxAttempts: DefaultMaxAttempts,
		MaxConcurrent: DefaultMaxConcurrent, GiveUpSeconds: int(DefaultGiveUp / time.Second),
	}
}

// Validate checks all of the agent that a person can set. It fails with Invalid and a problem for every bad field at once,
// under the names the API and the forms use: name, kind, send_mode, settle_ms, max_attempts, config.url …
func (a Agent) Validate() error {
	p := agentProblems{}
	p.basics(a)
	if rules, ok := agentRules[a.Kind]; ok {
		rules.read(readConfig(a.Config, p))
		if rules.headers {
			p.headers(a.Headers())
		}
	}
	return p.err()
}

// Configure lays an incoming API config over the stored one and validates the whole agent, so that a caller with new
// values for the other fields sets those first and calls this once. Keys that are absent stay as they are, null means the
// default, a headers object replaces the set of headers, and a header whose value is blank or Masked keeps the stored one, as
// does a secret text; null forgets it. A secret goes to no other server than the one it was given for: with another address it
// must be given again.
// Another kind than the agent's starts from nothing. On failure the agent comes back unchanged, with Validate's error.
func (a Agent) Configure(kind AgentKind, incoming json.RawMessage) (Agent, error) {
	next := a
	if kind != a.Kind {
		next.Kind, next.Config, next.Secrets = kind, nil, nil
	}
	p := agentProblems{}
	p.basics(next)
	given := readConfig(incoming, p)
	if rules, ok := agentRules[kind]; ok {
		stored := next.Secrets
		next.Config = given.over(next.Config).public(rules)
		next.Secrets = given.secretsOf(rules, stored)
		if len(stored) > 0 && moved(a.Config, next.Config) {
			p.wantAgain(next.Secrets, given.secretsOf(rules, nil))
		}
		if rules.headers {
			p.headers(next.Headers())
		}
		if rules.servers {
			maps.Copy(next.Secrets, given.serverSecrets(a.toolServers(), stored))
		}
	}
	if err := p.err(); err != nil {
		return a, err
	}
	return next, nil
}

// DisplayConfig is the config as the API and the portal may show it: defaults filled in, secrets Masked. Sent back through
// Configure it changes nothing.
func (a Agent) DisplayConfig() json.RawMessage {
	values := readConfig(a.Config, agentProblems{}).values
	rules, ok := agentRules[a.Kind]
	if ok {
		if full, err := json.Marshal(rules.read(readConfig(a.Config, agentProblems{}))); err == nil {
			values = readConfig(full, agentProblems{}).values
		}
	}
	if ok && rules.headers {
		masked := map[string]string{}
		for name := range a.Headers() {
			masked[name] = Masked
		}
		values["headers"], _ = json.Marshal(masked)
	}
	if ok && rules.servers {
		values[serversKey], _ = json.Marshal(a.displayServers())
	}
	for _, key := range rules.secrets {
		if a.Secrets[key] != "" {
			values[key], _ = json.Marshal(Masked)
		}
	}
	shown, err := json.Marshal(values)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return shown
}
