package dispatch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

const modelKey = "sk-live-0123456789abcdef"

// modelNode is a node whose agents are real ones, and a fixture whose agent asks the model at handler.
func modelNode(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture, handler http.HandlerFunc) *strings.Builder {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	stored, err := l.Agent(t.Context(), f.Org, f.Agent)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`{"base_url":%q,"model":"tiny","api_key":%q,"input_cost_per_mtok":1000,"output_cost_per_mtok":1000,"max_output_tokens":1000}`, srv.URL, modelKey)
	if stored, err = stored.Configure(domain.AgentOpenAI, json.RawMessage(config)); err != nil {
		t.Fatal(err)
	}
	if err := l.UpdateAgent(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	logged := &strings.Builder{}
	log := slog.New(slog.NewTextHandler(locked{&mu, logged}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	out := &agent.Outbound{}
	deps := agent.Deps{Knowledge: l, Contacts: l, Purse: l, Outbound: out, Log: log}
	r := relay.New(l, log)
	d := dispatch.New(l, r, func(a domain.Agent) (agent.Runtime, error) { return agent.New(a, deps) }, dispatch.Options{Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.Run(ctx) })
	wg.Go(func() { _ = d.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait(); out.Client().CloseIdleConnections() })
	return logged
}

type locked struct {
	mu *sync.Mutex
	w  *strings.Builder
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func streams(chunks ...string) string {
	return "data: " + strings.Join(chunks, "\n\ndata: ") + "\n\n"
}

func TestModelOverTheLedger(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, rival := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	if err := l.SetRecording(t.Context(), f.Org, domain.Recording{Content: domain.RecordFull, Days: 90}); err != nil {
		t.Fatal(err)
	}
	const secret = "rivals-only-7731"
	if err := l.CreateArticle(t.Context(), domain.Article{ID: ledger.NewID[domain.ArticleID](), OrgID: rival.Org, Title: "Returns", Content: "Returns " + secret, Language: "english", Classification: domain.ClassPublic}); err != nil {
		t.Fatal(err)
	}
	call := func(id, name, args string) string {
		a, _ := json.Marshal(args)
		return fmt.Sprintf(`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":%q,"function":{"name":%q,"arguments":%s}}]},"finish_reason":"tool_calls"}]}`, id, name, a)
	}
	var asked atomic.Int32
	var prompts sync.Map
	logged := modelNode(t, l, f, func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		var body strings.Builder
		_, _ = fmt.Fprint(&body, readAll(r))
		prompts.Store(n, body.String())
		w.Header().Set("Content-Type", "text/event-stream")
		switch n {
		case 1:
			_, _ = fmt.Fprint(w, streams(call("a", "search_knowledge", fmt.Sprintf(`{"query":"returns","org_id":%q}`, rival.Org)), "[DONE]"))
		case 2:
			_, _ = fmt.Fprint(w, streams(call("b", "set_contact_details", fmt.Sprintf(`{"name":"Eva","email":"eva@example.com","contact_id":%q}`, rival.Contact)), "[DONE]"))
		case 3:
			_, _ = fmt.Fprint(w, streams(call("c", "send_webchat_reply", fmt.Sprintf(`{"content":"Hello ![x](https://evil.example/)","thread_id":%q}`, rival.Thread)), "[DONE]"))
		default:
			_, _ = fmt.Fprint(w, streams(call("d", "hand_off_to_human", `{"reason":"done here"}`), "[DONE]"))
		}
	})
	say(t, l, f, "1")
	eventually(t, l, f, "the hand off", has(domain.HandedOff))
	_, ms := look(t, l, f)
	if said := fromAgent(ms); len(said) != 1 || said[0] != "Hello [x](https://evil.example/)" {
		t.Fatalf("said %q", said)
	}
	if _, ms := look(t, l, rival); len(ms) != 0 {
		t.Errorf("the rival's thread has %v", contents(ms))
	}
	for _, c := range []struct {
		f    ledgertest.Fixture
		want string
	}{{f, "Eva"}, {rival, ""}} {
		if got, err := l.Contact(t.Context(), c.f.Org, c.f.Contact); err != nil || got.Name != c.want {
			t.Errorf("contact %+v, %v; want the name %q", got, err, c.want)
		}
	}
	items, err := l.Timeline(t.Context(), f.Org, f.Thread)
	if err != nil {
		t.Fatal(err)
	}
	record, _ := json.Marshal(items)
	all := string(record) + logged.String()
	prompts.Range(func(_, p any) bool { all += p.(string); return true })
	for _, hidden := range []string{modelKey, secret, ledgertest.Secret} {
		if strings.Contains(all, hidden) {
			t.Errorf("%q shows in a prompt, the record or the log", hidden)
		}
	}
	if spent, err := l.SpentToday(t.Context(), f.Org); err != nil || spent <= 0 {
		t.Errorf("spent %v, %v", spent, err)
	}
}

func readAll(r *http.Request) string {
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := r.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

func TestBudgetSkipsTheTurn(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	budget := 0.001
	if err := l.SetBudgets(t.Context(), f.Org, domain.Budgets{SessionUSD: &budget}); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	modelNode(t, l, f, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	say(t, l, f, "1")
	eventually(t, l, f, "the skip", has(domain.DispatchSkip))
	items, err := l.Timeline(t.Context(), f.Org, f.Thread)
	if err != nil {
		t.Fatal(err)
	}
	record, _ := json.Marshal(items)
	if !strings.Contains(string(record), string(domain.SkipBudgetExceeded)) || asked.Load() != 0 {
		t.Errorf("asked %d times: %s", asked.Load(), record)
	}
}
