package views

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// AgentRow is one agent in the list.
type AgentRow struct {
	Agent       domain.Agent
	Widgets     []string  // names of the widgets it answers in
	LastSuccess time.Time // zero = never
	LastError   string    // of its newest turn, if that failed
	Health      domain.AgentHealth
}

// Agents is the page with all of them.
type Agents struct {
	Frame Frame
	Rows  []AgentRow
	Kinds []domain.AgentKind // what a new one can be
}

// AgentForm is the page to make or change an agent. Agent.ID is empty for a new one. The form's fields are name, enabled,
// send_mode, settle_ms, max_attempts, and config.* by kind, as domain.FormConfig reads them.
type AgentForm struct {
	Frame    Frame
	Agent    domain.Agent
	Form     ui.Form
	Widgets  []string
	Articles int // that a built-in one answers from
	Test     *domain.AgentTest
	Health   AgentHealth
}

// AgentHealth is how an agent is doing, for its page.
type AgentHealth struct {
	domain.AgentHealth
	LastSuccess time.Time // zero = never
	LastError   string    // a sentence
	LastErrorAt time.Time
	Events      []AgentEvent // the newest first
}

// AgentEvent is something that happened to it outside any thread.
type AgentEvent struct {
	Kind  domain.TimelineKind
	At    time.Time
	Error string // a sentence
}

func (e AgentEvent) words() string {
	if e.Kind == domain.CircuitOpened {
		return "Stopped answering."
	}
	return "Answered again."
}

// waiting says who waits for an agent that is away.
func (h AgentHealth) waiting() string {
	if h.Waiting == 0 {
		return "Nobody waits for it right now; the next message tries it again."
	}
	return plural(h.Waiting, "conversation waits", "conversations wait") + " for it, and will be answered when it is back."
}

// agentFields are the names of the form's fields, of every kind, in the order of the page.
var agentFields = []string{
	"name", "enabled", "send_mode", "config.greeting", "config.min_confidence", "config.base_url", "config.model", "config.api_key", "config.system_prompt",
	"config.url", "config.secret", "config.connect_timeout_seconds", "config.timeout_seconds", "config.max_responses", "config.headers",
	"config.temperature", "config.max_output_tokens", "config.max_steps", "config.input_cost_per_mtok", "config.output_cost_per_mtok",
	"config.turn_budget_usd", "settle_ms", "max_attempts", "give_up_seconds", "max_concurrent",
}

func (f AgentForm) fresh() bool { return f.Agent.ID == "" }

func (f AgentForm) url(tail string) string { return "/agents/" + string(f.Agent.ID) + tail }

func (f AgentForm) heading() string {
	if f.fresh() {
		return "New agent"
	}
	return f.Agent.Name
}

// saveURL is where the form goes.
func (f AgentForm) saveURL() string {
	if f.fresh() {
		return "/agents"
	}
	return f.url("")
}

// KindName and kindText are how an agent's kind is called and what it means.
func KindName(k domain.AgentKind) string {
	switch k {
	case domain.AgentBuiltin:
		return "Built-in"
	case domain.AgentOpenAI:
		return "Language model"
	case domain.AgentWebSocket:
		return "WebSocket service"
	case domain.AgentHTTP:
		return "HTTP service"
	}
	return string(k)
}

func kindText(k domain.AgentKind) string {
	switch k {
	case domain.AgentBuiltin:
		return "Greets, and answers from your knowledge articles with their sources. Needs no key and no other service."
	case domain.AgentOpenAI:
		return "A model of your choice at any endpoint that speaks OpenAI’s chat completions, on your own machine or elsewhere. It can search your articles and hand over to people."
	case domain.AgentWebSocket:
		return "A program of yours. Parley connects for every message, sends it, and passes the answers on."
	case domain.AgentHTTP:
		return "A program of yours that takes a signed request and answers it, at once or as a stream."
	}
	return ""
}

func kindIcon(k domain.AgentKind) templ.Component {
	switch k {
	case domain.AgentBuiltin:
		return ui.BookIcon()
	case domain.AgentOpenAI:
		return ui.SparklesIcon()
	case domain.AgentWebSocket:
		return ui.PlugIcon()
	case domain.AgentHTTP:
		return ui.GlobeIcon()
	}
	return ui.BotIcon()
}

// agentState is the badge of an agent: what it does right now.
func agentState(r AgentRow) (ui.Tone, string) {
	switch {
	case !r.Agent.Enabled:
		return ui.Neutral, "Off"
	case !r.Health.OpenedAt.IsZero():
		return ui.Red, "Does not answer"
	case r.LastError != "":
		return ui.Amber, "Last turn failed"
	case r.Agent.SendMode == domain.Suggest:
		return ui.Violet, "Suggests"
	}
	return ui.Green, "Answers"
}

// AgentValues are the fields of the form for an agent as it is.
func AgentValues(a domain.Agent) map[string]string {
	v := map[string]string{
		"name": a.Name, "send_mode": string(a.SendMode),
		"settle_ms": number(a.SettleMS), "max_attempts": number(a.MaxAttempts),
		"max_concurrent": number(a.MaxConcurrent), "give_up_seconds": number(a.GiveUpSeconds),
	}
	if a.Enabled {
		v["enabled"] = "on"
	}
	var config map[string]any
	if json.Unmarshal(a.DisplayConfig(), &config) != nil {
		return v
	}
	for key, value := range config {
		if value == domain.Masked { // a secret is shown as set, never as a value
			continue
		}
		switch value := value.(type) {
		case nil: // the default
		case map[string]any: // headers
			v["config."+key] = headerText(value)
		case []any: // servers of tools
			serverValues(v, value)
		case float64:
			v["config."+key] = strconv.FormatFloat(value, 'f', -1, 64)
		default:
			v["config."+key] = fmt.Sprint(value)
		}
	}
	return v
}

// headerText is a header on each line.
func headerText(headers map[string]any) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lines = append(lines, fmt.Sprintf("%s: %v", name, headers[name]))
	}
	return strings.Join(lines, "\n")
}
