package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

// model is a fake endpoint that speaks chat completions: each call takes the next of its acts, and the last one again and again.
type model struct {
	*httptest.Server
	mu     sync.Mutex
	acts   []act
	asked  []modelRequest
	bodies []string
	auth   []string
}

type act func(w http.ResponseWriter, r *http.Request, q modelRequest)

func newModel(t *testing.T, acts ...act) *model {
	t.Helper()
	m := &model{acts: acts}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		var q modelRequest
		if err := json.Unmarshal(raw, &q); err != nil || r.URL.Path != "/v1/chat/completions" || !q.Stream || !q.StreamOptions.IncludeUsage {
			t.Errorf("asked %s with %s (%v)", r.URL, raw, err)
		}
		m.mu.Lock()
		do := m.acts[min(len(m.asked), len(m.acts)-1)]
		m.asked, m.bodies, m.auth = append(m.asked, q), append(m.bodies, string(raw)), append(m.auth, r.Header.Get("Authorization"))
		m.mu.Unlock()
		do(w, r, q)
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *model) calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.asked)
}

// chunks sends data as it is; other acts stall, hang up or refuse.
func chunks(data ...string) act {
	return func(w http.ResponseWriter, _ *http.Request, _ modelRequest) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, d := range data {
			fmt.Fprintf(w, "data: %s\n\n", d)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func (a act) then(next act) act {
	return func(w http.ResponseWriter, r *http.Request, q modelRequest) { a(w, r, q); next(w, r, q) }
}

func stall(_ http.ResponseWriter, r *http.Request, _ modelRequest) {
	select {
	case <-r.Context().Done():
	case <-time.After(20 * time.Second): // so that a caller who never hangs up fails the test and does not hang it
	}
}

func hangUp(http.ResponseWriter, *http.Request, modelRequest) { panic(http.ErrAbortHandler) }

func refuse(status int, body string, header ...string) act {
	return func(w http.ResponseWriter, _ *http.Request, _ modelRequest) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func text(s string) string {
	content, _ := json.Marshal(s)
	return fmt.Sprintf(`{"choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}]}`, content)
}

const (
	finished = `{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`
	counted  = `{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":20}}`
	over     = `[DONE]`
)

// says streams a text in pieces, and uses a tool whose arguments come in fragments.
func says(pieces ...string) act {
	var data []string
	for _, p := range pieces {
		data = append(data, text(p))
	}
	return chunks(append(data, finished, counted, over)...)
}

func calls(name string, arguments any) act {
	raw, isText := arguments.(string)
	if !isText {
		b, _ := json.Marshal(arguments)
		raw = string(b)
	}
	fragment := func(f map[string]any) string {
		b, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{"delta": map[string]any{"tool_calls": []any{f}}}}})
		return string(b)
	}
	half := len(raw) / 2
	for half > 0 && half < len(raw) && raw[half]&0xC0 == 0x80 {
		half--
	}
	return chunks(
		fragment(map[string]any{"index": 0, "id": "t1", "type": "function", "function": map[string]any{"name": name, "arguments": ""}}),
		fragment(map[string]any{"index": 0, "function": map[string]any{"arguments": raw[:half]}}),
		fragment(map[string]any{"index": 0, "function": map[string]any{"arguments": raw[half:]}}),
		`{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`, counted, over)
}

const modelKey = "sk-test-0123456789abcdef"

func modelAgent(url string, change ...func(map[string]any)) domain.Agent {
	config := map[string]any{"base_url": url + "/v1", "model": "tiny", "system_prompt": "Sell bicycles.", "timeout_seconds": 8}
	for _, c := range change {
		c(config)
	}
	a := domain.NewAgent("org", "Ada", domain.AgentOpenAI)
	a.ID = "agent"
	a.Config, _ = json.Marshal(config)
	a.Secrets = map[string]string{domain.APIKeySecret: modelKey}
	return a
}

// purse is a wallet that remembers.
type purse struct {
	mu      sync.Mutex
	left    float64 // what may still be held; negative = nothing at all
	err     error
	held    []domain.Spending
	settled []float64
}

func (p *purse) Hold(_ context.Context, s domain.Spending) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return "", p.err
	}
	if s.USD > p.left || p.left <= 0 {
		return "", &domain.OverBudget{Budget: "daily"}
	}
	p.left -= s.USD
	p.held = append(p.held, s)
	return fmt.Sprint(len(p.held)), nil
}

func (p *purse) Settle(_ context.Context, _ domain.OrgID, _ string, usd float64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled = append(p.settled, usd)
	return nil
}

// book is where contact details go.
type book struct{ kept []string }

func (b *book) SetContactDetails(_ context.Context, org domain.OrgID, contact domain.ContactID, name, email, phone string) error {
	b.kept = append(b.kept, strings.Join([]string{string(org), string(contact), name, email, phone}, "|"))
	return nil
}

// askModel gives an agent its turn; idle shortens the longest silence.
func askModel(t *testing.T, a domain.Agent, d Deps, idle time.Duration, r TurnRequest, sink Sink) (Result, error) {
	t.Helper()
	d.Outbound = &Outbound{}
	t.Cleanup(d.Outbound.Client().CloseIdleConnections)
	rt, err := New(a, d)
	if err != nil {
		t.Fatal(err)
	}
	if idle > 0 {
		rt.(*openAI).idle = idle
	}
	return rt.Turn(t.Context(), r, sink)
}

func stepsOf(sink *tape, kind domain.TimelineKind) (details []map[string]any) {
	for _, s := range sink.steps {
		if s.Kind == kind {
			details = append(details, s.Detail)
		}
	}
	return details
}
