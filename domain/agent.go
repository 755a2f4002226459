package domain

import (
	"encoding/json"
	"time"
)

// AgentKind names the runtime that gives an agent its voice.
type AgentKind string

const (
	AgentBuiltin   AgentKind = "builtin"
	AgentOpenAI    AgentKind = "openai"
	AgentWebSocket AgentKind = "websocket"
	AgentHTTP      AgentKind = "http"
)

// SendMode says whether an agent's reply goes out by itself or waits for a person's yes.
type SendMode string

const (
	Autonomous SendMode = "autonomous"
	Suggest    SendMode = "suggest"
)

// Defaults of an agent's timing.
const (
	DefaultSettle        = 800 * time.Millisecond // how long to wait for more lines of a burst
	MaxSettle            = 3 * time.Second        // a burst is answered at the latest this long after its first line
	DefaultMaxAttempts   = 3
	DefaultMaxConcurrent = 16
	DefaultGiveUp        = 5 * time.Minute
)

// Agent is an AI agent of an organisation.
type Agent struct {
	ID          AgentID `bun:",pk"`
	OrgID       OrgID
	Name        string
	Kind        AgentKind
	Enabled     bool
	SendMode    SendMode
	SettleMS    int
	MaxAttempts int
	// MaxConcurrent is how many turns it may have at once, on all nodes together; GiveUpSeconds how long its attempts at one answer
	// may take in all.
	MaxConcurrent int
	GiveUpSeconds int
	Config        json.RawMessage   `bun:"type:jsonb"` // by kind, see agent_config.go; without the secret parts
	Secrets       map[string]string `bun:"-"`          // write-only parts of the config (api_key, secret, headers); sealed at rest, never shown
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Settle is how long the dispatcher waits after a line for the next one.
func (a Agent) Settle() time.Duration { return time.Duration(a.SettleMS) * time.Millisecond }

// AgentTest is the outcome of trying an agent out once, outside any thread.
type AgentTest struct {
	OK              bool    `json:"ok"`
	ConnectMS       float64 `json:"connect_ms"`        // until the agent took the request
	FirstResponseMS float64 `json:"first_response_ms"` // from then until its first answer; 0 without one
	Response        string  `json:"response,omitempty"`
	Error           string  `json:"error,omitempty"` // one sentence, without secrets
}
