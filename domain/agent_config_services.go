package domain

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Write-only keys of a config, and of Agent.Secrets.
const (
	APIKeySecret  = "api_key" // of openai: sent as a bearer token
	SigningSecret = "secret"  // of http: signs what is sent
)

// OpenAIConfig configures the openai runtime. Its key is Agent.Secrets[APIKeySecret]; a model on one's own machine may need none.
type OpenAIConfig struct {
	BaseURL           string   `json:"base_url"` // without /chat/completions
	Model             string   `json:"model"`
	SystemPrompt      string   `json:"system_prompt,omitempty"`
	Temperature       *float64 `json:"temperature"`       // null = the model's own
	MaxOutputTokens   int      `json:"max_output_tokens"` // of a whole turn
	MaxSteps          int      `json:"max_steps"`         // model calls in a turn
	TimeoutSeconds    float64  `json:"timeout_seconds"`   // for a whole turn
	InputCostPerMTok  float64  `json:"input_cost_per_mtok"`
	OutputCostPerMTok float64  `json:"output_cost_per_mtok"`
	TurnBudgetUSD     float64  `json:"turn_budget_usd"` // 0 = no limit of its own

	MCPServers []ToolServer `json:"mcp_servers,omitempty"`
}

// Timeout bounds a whole turn with all its model calls.
func (c OpenAIConfig) Timeout() time.Duration { return seconds(c.TimeoutSeconds) }

// CostUSD is what so many tokens cost at the config's prices.
func (c OpenAIConfig) CostUSD(promptTokens, completionTokens int) float64 {
	return (float64(promptTokens)*c.InputCostPerMTok + float64(completionTokens)*c.OutputCostPerMTok) / 1e6
}

// HTTPConfig configures the http runtime. What it sends is signed with Agent.Secrets[SigningSecret], if there is one.
type HTTPConfig struct {
	URL            string  `json:"url"`
	TimeoutSeconds float64 `json:"timeout_seconds"` // until the answer is complete
}

// Timeout bounds the whole exchange.
func (c HTTPConfig) Timeout() time.Duration { return seconds(c.TimeoutSeconds) }

// ParseOpenAIConfig reads a stored config and applies the defaults. It fails with Invalid, a problem per field.
func ParseOpenAIConfig(raw []byte) (OpenAIConfig, error) {
	r := readConfig(raw, agentProblems{})
	return r.openAI(), r.problems.err()
}

// ParseHTTPConfig reads a stored config and applies the defaults. It fails with Invalid, a problem per field.
func ParseHTTPConfig(raw []byte) (HTTPConfig, error) {
	r := readConfig(raw, agentProblems{})
	return r.http(), r.problems.err()
}

func (r *configReader) openAI() OpenAIConfig {
	c := OpenAIConfig{MaxOutputTokens: 1024, MaxSteps: 6, TimeoutSeconds: 60}
	for key, into := range map[string]*string{"base_url": &c.BaseURL, "model": &c.Model, "system_prompt": &c.SystemPrompt} {
		readKey(r, key, into, "must be text")
		*into = strings.TrimSpace(*into)
	}
	for key, into := range map[string]*float64{
		"timeout_seconds": &c.TimeoutSeconds, "input_cost_per_mtok": &c.InputCostPerMTok,
		"output_cost_per_mtok": &c.OutputCostPerMTok, "turn_budget_usd": &c.TurnBudgetUSD,
	} {
		readKey(r, key, into, "must be a number")
	}
	readKey(r, "temperature", &c.Temperature, "must be a number")
	readKey(r, "max_output_tokens", &c.MaxOutputTokens, "must be a whole number")
	readKey(r, "max_steps", &c.MaxSteps, "must be a whole number")
	c.BaseURL = strings.TrimSuffix(strings.TrimRight(c.BaseURL, "/"), "/chat/completions") // people paste the whole address
	c.MCPServers = r.toolServers()
	r.checkOpenAI(c)
	return c
}

func (r *configReader) checkOpenAI(c OpenAIConfig) {
	p := r.problems
	p.url("config.base_url", c.BaseURL, "http", "https")
	switch {
	case c.Model == "":
		p.add("config.model", "is needed")
	case utf8.RuneCountInString(c.Model) > 200 || hasControls(c.Model, ""):
		p.add("config.model", "must be one line of at most 200 characters")
	}
	if utf8.RuneCountInString(c.SystemPrompt) > maxSystemPrompt {
		p.add("config.system_prompt", "must have at most 20000 characters")
	} else if hasControls(c.SystemPrompt, "\n\r\t") {
		p.add("config.system_prompt", "must not contain control characters")
	}
	if c.Temperature != nil {
		between(p, "config.temperature", *c.Temperature, 0, 2)
	}
	between(p, "config.max_output_tokens", c.MaxOutputTokens, 1, 100_000)
	between(p, "config.max_steps", c.MaxSteps, 1, 20)
	between(p, "config.timeout_seconds", c.TimeoutSeconds, 0.1, 300)
	between(p, "config.input_cost_per_mtok", c.InputCostPerMTok, 0, 10_000)
	between(p, "config.output_cost_per_mtok", c.OutputCostPerMTok, 0, 10_000)
	between(p, "config.turn_budget_usd", c.TurnBudgetUSD, 0, 1000)
}

const maxSystemPrompt = 20_000 // characters

func (r *configReader) http() HTTPConfig {
	c := HTTPConfig{TimeoutSeconds: 30}
	readKey(r, "url", &c.URL, "must be text")
	readKey(r, "timeout_seconds", &c.TimeoutSeconds, "must be a number of seconds")
	c.URL = strings.TrimSpace(c.URL)
	r.problems.url("config.url", c.URL, "http", "https")
	between(r.problems, "config.timeout_seconds", c.TimeoutSeconds, 0.1, 300)
	return c
}

// secret reads one write-only text. given is false if the key is absent; a given null comes back empty.
func (r *configReader) secret(key string) (value string, given bool) {
	raw, given := r.values[key]
	if !given || string(raw) == "null" {
		return "", given
	}
	readKey(r, key, &value, "must be text")
	value = strings.TrimSpace(value)
	if value == "" {
		return Masked, true // blank asks to keep what is stored
	}
	if len(value) > 4096 || hasControls(value, "") || !utf8.ValidString(value) {
		r.problems.add("config."+key, "must be one line of plain text")
	}
	return value, true
}

// secretsOver lays the write-only texts a config gives over the stored ones: a new value replaces, null forgets, blank and Masked keep.
func (r *configReader) secretsOver(keys []string, stored map[string]string) map[string]string {
	next := map[string]string{}
	for _, key := range keys {
		value, given := r.secret(key)
		if !given || value == Masked {
			value = stored[key]
		}
		if value != "" {
			next[key] = value
		}
	}
	return next
}
