package replay_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/domain/replay"
)

func TestMain(m *testing.M) { ledgertest.Main(m) }

var quiet = slog.New(slog.DiscardHandler)

// world is a dispatcher that gives agents real turns, and a service that replays them.
type world struct {
	*testing.T
	ledgertest.Fixture
	ledger *ledger.Ledger
	relay  *relay.Relay
	replay *replay.Service
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, ledger: ledgertest.New(t)}
	w.Fixture = ledgertest.Seed(t, w.ledger)
	w.relay = relay.New(w.ledger, quiet)
	deps := agent.Deps{Knowledge: w.ledger, Contacts: w.ledger, Purse: w.ledger, Outbound: &agent.Outbound{}, Log: quiet}
	d := dispatch.New(w.ledger, w.relay, func(a domain.Agent) (agent.Runtime, error) { return agent.New(a, deps) }, dispatch.Options{Log: quiet})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.relay.Run(ctx) })
	running.Go(func() { _ = d.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	w.replay = w.service(replay.Options{})
	return w
}

func (w *world) service(o replay.Options) *replay.Service {
	o.Outbound, o.Log = &agent.Outbound{}, quiet
	return replay.New(w.ledger, o)
}

// says lets the visitor write, and waits for so many lines of agents.
func (w *world) says(content string, answers int) {
	w.Helper()
	_, err := w.ledger.Append(w.Context(), ledger.Append{OrgID: w.Org, ThreadID: w.Thread,
		Change: ledger.Line{SessionID: w.Session.ID, ClientID: string(ledger.NewID[domain.MessageID]()), Content: content}})
	if err != nil {
		w.Fatal(err)
	}
	w.eventually("an answer", func() bool {
		n := 0
		for _, m := range w.lines() {
			if m.Author.Kind == domain.AuthorAgent {
				n++
			}
		}
		var running int
		w.sql(`SELECT count(*) FROM turns WHERE status = 'running' OR thread_id <> ?`, &running, w.Thread)
		return n >= answers && running == 0
	})
}

func (w *world) lines() []domain.Message {
	w.Helper()
	ms, err := w.ledger.MessagesAfter(context.Background(), w.Org, w.Thread, 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	return ms
}

func (w *world) sql(sql string, into any, args ...any) {
	w.Helper()
	var err error
	if into == nil {
		_, err = w.ledger.NewRaw(sql, args...).Exec(context.Background())
	} else {
		err = w.ledger.NewRaw(sql, args...).Scan(context.Background(), into)
	}
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("never: %s", what)
		}
	}
}

// article stores an article, in place of one of the same title.
func (w *world) article(title, content string) {
	w.Helper()
	w.sql(`DELETE FROM articles WHERE org_id = ? AND title = ?`, nil, w.Org, title)
	err := w.ledger.CreateArticle(w.Context(), domain.Article{ID: ledger.NewID[domain.ArticleID](), OrgID: w.Org, Title: title, Content: content,
		Language: "english", Classification: domain.ClassPublic})
	if err != nil {
		w.Fatal(err)
	}
}

// model is a language model that says what acts says, by what it was asked. It answers as servers do that do not stream.
type model struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

// newModel gives every request to say, which returns the content and, as pairs of name and arguments, the tools it calls.
func newModel(t *testing.T, say func(asked string) (content string, calls []string)) *model {
	m := &model{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		m.mu.Lock()
		m.asked = append(m.asked, string(raw))
		m.mu.Unlock()
		content, calls := say(string(raw))
		var list []map[string]any
		for i := 0; i+1 < len(calls); i += 2 {
			list = append(list, map[string]any{"index": i / 2, "id": "c" + calls[i], "type": "function", "function": map[string]any{"name": calls[i], "arguments": calls[i+1]}})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"choices": []any{map[string]any{"message": map[string]any{"content": content, "tool_calls": list}, "finish_reason": "stop"}},
			"usage":   map[string]any{"prompt_tokens": 100, "completion_tokens": 10},
		})
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *model) heard() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.asked, "\n")
}

// agent makes an agent that a model speaks for, at a dollar for a million tokens.
func (w *world) agent(name string, m *model) domain.AgentID {
	w.Helper()
	a := domain.NewAgent(w.Org, name, domain.AgentOpenAI)
	a.ID, a.SettleMS = ledger.NewID[domain.AgentID](), 0
	a, err := a.Configure(domain.AgentOpenAI, json.RawMessage(`{"base_url":"`+m.URL+`/v1","model":"m","api_key":"sk-very-secret","input_cost_per_mtok":1,"output_cost_per_mtok":1}`))
	if err != nil {
		w.Fatal(err)
	}
	if err := w.ledger.CreateAgent(w.Context(), a); err != nil {
		w.Fatal(err)
	}
	return a.ID
}

// replayed makes a replay of the thread.
func (w *world) replayed(o replay.Order) domain.Replay {
	w.Helper()
	o.OrgID = w.Org
	r, err := w.replay.Ask(w.Context(), w.Thread, o)
	if err == nil {
		r, err = w.replay.Make(w.Context(), r)
	}
	if err != nil || r.Status != domain.ReplayDone {
		w.Fatalf("%+v, %v", r, err)
	}
	return r
}

// outcomes are what came of a replay's answers, in order.
func outcomes(r domain.Replay) string {
	var all []string
	for _, t := range r.Turns {
		all = append(all, strings.TrimSuffix(string(t.Outcome)+"/"+string(t.Verdict), "/"))
	}
	return strings.Join(all, " ")
}
