package domain

import (
	"encoding/json"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// BuiltinConfig configures the builtin runtime.
type BuiltinConfig struct {
	Greeting      string  `json:"greeting,omitempty"` // Markdown; empty = the runtime's own words in the visitor's language
	MinConfidence float64 `json:"min_confidence"`     // 0 to 1: below it the runtime offers a person instead of answering
}

// DefaultMinConfidence lets everything through that the search takes for an answer.
const DefaultMinConfidence = 0.25

// WebSocketConfig configures the websocket runtime. The values of its headers are secret: see [Agent.Headers].
type WebSocketConfig struct {
	URL                   string  `json:"url"`
	ConnectTimeoutSeconds float64 `json:"connect_timeout_seconds"`
	TimeoutSeconds        float64 `json:"timeout_seconds"` // from the moment the message was sent
	MaxResponses          int     `json:"max_responses"`
}

// ConnectTimeout bounds DNS, TCP, TLS and the WebSocket handshake together.
func (c WebSocketConfig) ConnectTimeout() time.Duration { return seconds(c.ConnectTimeoutSeconds) }

// Timeout bounds the exchange once the message was sent.
func (c WebSocketConfig) Timeout() time.Duration { return seconds(c.TimeoutSeconds) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Masked stands for a stored secret wherever a config is shown. Sent back, it means "keep what is stored".
const Masked = "********"

// headerSecret prefixes the name of a header in Agent.Secrets.
const headerSecret = "header:"

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

// ParseBuiltinConfig reads a stored config and applies the defaults. It fails with Invalid, a problem per field.
func ParseBuiltinConfig(raw json.RawMessage) (BuiltinConfig, error) {
	r := readConfig(raw, agentProblems{})
	return r.builtin(), r.problems.err()
}

// ParseWebSocketConfig reads a stored config and applies the defaults. It fails with Invalid, a problem per field.
func ParseWebSocketConfig(raw json.RawMessage) (WebSocketConfig, error) {
	r := readConfig(raw, agentProblems{})
	return r.webSocket(), r.problems.err()
}

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
	given := readConfig(incoming, p).values
	merged := readConfig(next.Config, agentProblems{}).values
	maps.Copy(merged, given)
	raw, err := json.Marshal(merged)
	if err != nil {
		return a, &Error{Kind: Internal, Msg: "the config could not be read", Err: err}
	}
	if rules, ok := agentRules[kind]; ok {
		var fresh map[string]string
		next.Config, fresh = splitConfig(rules, raw, p)
		over := func(stored map[string]string) map[string]string {
			if _, replaced := given["headers"]; rules.headers && (replaced || stored == nil) {
				stored = keepMasked(maps.Clone(fresh), stored)
			}
			if len(rules.secrets) > 0 {
				stored = readConfig(incoming, p).secretsOver(rules.secrets, stored)
			}
			return stored
		}
		stored := next.Secrets
		if next.Secrets = over(stored); len(stored) > 0 && moved(a.Config, next.Config) {
			p.wantAgain(next.Secrets, over(nil))
		}
		if rules.headers {
			p.headers(next.Headers())
		}
		if rules.servers {
			maps.Copy(next.Secrets, readConfig(incoming, p).serverSecrets(a.toolServers(), stored))
		}
	}
	if err := p.err(); err != nil {
		return a, err
	}
	return next, nil
}

// SplitConfig parts an incoming API config of a kind into what may be shown, with its defaults filled in and unknown keys
// dropped, and the write-only rest as Agent.Secrets holds it. It keeps no stored value: that is Configure's.
// It fails with Invalid, a problem per field.
func SplitConfig(kind AgentKind, incoming json.RawMessage) (public json.RawMessage, secrets map[string]string, err error) {
	p := agentProblems{}
	p.kind(kind)
	if rules, ok := agentRules[kind]; ok {
		public, secrets = splitConfig(rules, incoming, p)
		if rules.headers {
			p.headers(headersIn(secrets))
		}
		if rules.servers {
			maps.Copy(secrets, readConfig(incoming, p).serverSecrets(nil, nil))
		}
	}
	if err := p.err(); err != nil {
		return nil, nil, err
	}
	return public, secrets, nil
}

func splitConfig(rules configRules, incoming json.RawMessage, p agentProblems) (json.RawMessage, map[string]string) {
	r := readConfig(incoming, p)
	var secrets map[string]string
	if rules.headers {
		secrets = r.headers()
	} else {
		secrets = r.secretsOver(rules.secrets, nil)
	}
	public, err := json.Marshal(rules.read(r))
	if err != nil { // a number JSON cannot hold; the reader refuses those
		p.add("config", "could not be read")
	}
	return public, secrets
}

// keepMasked fills in the stored value wherever the fresh one says to keep it.
func keepMasked(fresh, stored map[string]string) map[string]string {
	for key, value := range fresh {
		if old, ok := stored[key]; ok && (value == "" || value == Masked) {
			fresh[key] = old
		}
	}
	return fresh
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

// Headers are the secret headers of the agent's requests, name → value.
func (a Agent) Headers() map[string]string { return headersIn(a.Secrets) }

// HeaderNames are the names of those headers in order, for display.
func (a Agent) HeaderNames() []string { return slices.Sorted(maps.Keys(a.Headers())) }

func headersIn(secrets map[string]string) map[string]string {
	headers := map[string]string{}
	for key, value := range secrets {
		if name, ok := strings.CutPrefix(key, headerSecret); ok {
			headers[name] = value
		}
	}
	return headers
}

// FormConfig turns the config.* fields of a posted form into the JSON an API client would send, for Configure. A blank
// field asks for the default, but for a secret one, which a blank leaves as it is and a field forget.config.KEY forgets.
// config.headers is a text with a "Name: value" on each line, config.mcp_servers.N.KEY a field of a server of tools.
func FormConfig(kind AgentKind, form map[string][]string) json.RawMessage {
	config := map[string]any{}
	for field, values := range form {
		key, ok := strings.CutPrefix(field, "config.")
		if !ok || len(values) == 0 || strings.HasPrefix(key, serversKey+".") {
			continue
		}
		value := strings.TrimSpace(values[0])
		switch {
		case key == "headers":
			config[key] = headerLines(value)
		case slices.Contains(agentRules[kind].secrets, key):
			if form[forget+key] != nil {
				config[key] = nil
			} else {
				config[key] = value // a blank one keeps what is stored
			}
		case value == "":
			config[key] = nil
		case slices.Contains(agentRules[kind].numbers, key) && json.Valid([]byte(value)):
			config[key] = json.RawMessage(value)
		default:
			config[key] = value
		}
	}
	if servers, given := formServers(form); given && agentRules[kind].servers {
		config[serversKey] = servers
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return json.RawMessage(`{}`)
	}
	return raw
}

// forget prefixes the form field that asks to forget a secret.
const forget = "forget.config."

func headerLines(text string) map[string]string {
	headers := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); name != "" {
			headers[name] = strings.TrimSpace(value)
		}
	}
	return headers
}

// configReader reads one config object key by key, so that every bad key is named and unknown ones do no harm.
type configReader struct {
	values   map[string]json.RawMessage // never nil
	problems agentProblems
}

func readConfig(raw json.RawMessage, p agentProblems) *configReader {
	r := &configReader{problems: p}
	if len(raw) > 0 && json.Unmarshal(raw, &r.values) != nil {
		p.add("config", "must be an object")
	}
	if r.values == nil { // absent or null
		r.values = map[string]json.RawMessage{}
	}
	return r
}

// readKey decodes a key into a value that holds its default, which an absent key or null leaves alone.
func readKey[T any](r *configReader, key string, into *T, want string) {
	raw, ok := r.values[key]
	if !ok || string(raw) == "null" {
		return
	}
	value := *into
	if json.Unmarshal(raw, &value) != nil {
		r.problems.add("config."+key, want)
		return
	}
	*into = value
}

func (r *configReader) builtin() BuiltinConfig {
	c := BuiltinConfig{MinConfidence: DefaultMinConfidence}
	readKey(r, "greeting", &c.Greeting, "must be text")
	readKey(r, "min_confidence", &c.MinConfidence, "must be a number from 0 to 1")
	between(r.problems, "config.min_confidence", c.MinConfidence, 0, 1)
	c.Greeting = strings.TrimSpace(c.Greeting)
	if utf8.RuneCountInString(c.Greeting) > 1000 {
		r.problems.add("config.greeting", "must have at most 1000 characters")
	} else if hasControls(c.Greeting, "\n\r\t") {
		r.problems.add("config.greeting", "must not contain control characters")
	}
	return c
}

func (r *configReader) webSocket() WebSocketConfig {
	c := WebSocketConfig{ConnectTimeoutSeconds: 10, TimeoutSeconds: 30, MaxResponses: 5}
	readKey(r, "url", &c.URL, "must be text")
	readKey(r, "connect_timeout_seconds", &c.ConnectTimeoutSeconds, "must be a number of seconds")
	readKey(r, "timeout_seconds", &c.TimeoutSeconds, "must be a number of seconds")
	readKey(r, "max_responses", &c.MaxResponses, "must be a whole number")
	c.URL = strings.TrimSpace(c.URL)
	r.problems.url("config.url", c.URL, "ws", "wss")
	between(r.problems, "config.connect_timeout_seconds", c.ConnectTimeoutSeconds, 0.1, 60)
	between(r.problems, "config.timeout_seconds", c.TimeoutSeconds, 0.1, 300)
	between(r.problems, "config.max_responses", c.MaxResponses, 1, 20)
	return c
}

// headers reads the write-only headers object as Agent.Secrets holds it. Names come out in their canonical spelling.
func (r *configReader) headers() map[string]string {
	var given map[string]*string
	readKey(r, "headers", &given, "must be an object of names and texts")
	secrets := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] == nil { // null: without this one
			continue
		}
		key := headerSecret + textproto.CanonicalMIMEHeaderKey(name)
		if _, twice := secrets[key]; twice {
			r.problems.add("config.headers", name+" is given twice")
		}
		secrets[key] = strings.TrimSpace(*given[name])
	}
	return secrets
}
