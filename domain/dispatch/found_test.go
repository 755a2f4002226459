package dispatch_test

import (
	"context"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// sourced is an agent that searches, and names what it found and what nobody found.
func sourced(l *ledger.Ledger) voice {
	return func(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (agent.Result, error) {
		rt, err := agent.New(domain.Agent{Kind: domain.AgentBuiltin}, agent.Deps{Knowledge: l})
		if err != nil {
			return agent.Result{}, err
		}
		res, err := rt.Turn(ctx, r, sink)
		if err == nil {
			res.Reply.Citations = append(res.Reply.Citations, domain.Citation{Title: "Made up", URL: "https://evil.example"})
		}
		sink.Step(agent.Step{Kind: domain.ModelCall, Detail: map[string]any{"model": "m", "prompt": "the whole prompt", "response": "ok"}})
		return res, err
	}
}

// A citation goes out only if a search of this very turn has found its article. What else an agent of ours names is on record; what
// an agent elsewhere names is marked as its own.
func TestCitationsAreOnlyWhatWasFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind  domain.AgentKind
		cited int
	}{{domain.AgentBuiltin, 1}, {domain.AgentWebSocket, 2}} {
		l := ledgertest.New(t)
		f := ledgertest.Seed(t, l)
		ledgertest.Set(t, l, "agents", f.Agent, "kind", tt.kind)
		a := domain.Article{ID: ledger.NewID[domain.ArticleID](), OrgID: f.Org, Title: "Line one", URL: "/one", Content: "A line has one end.", Language: "english"}
		if err := l.CreateArticle(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		start(t, l, sourced(l), dispatch.Options{})
		say(t, l, f, "one")
		eventually(t, l, f, "an answer", agentSaid(1))
		ms, err := l.MessagesAfter(t.Context(), f.Org, f.Thread, 1, 9)
		if err != nil || len(ms) != 1 || len(ms[0].Citations) != tt.cited || ms[0].Citations[0].Title != "Line one" {
			t.Fatalf("%s cites %+v, %v", tt.kind, ms, err)
		}
		if external := ms[0].Citations[0].External; external != (tt.kind == domain.AgentWebSocket) {
			t.Errorf("%s: external is %v", tt.kind, external)
		}
		record := recorded(t, l, f)
		if strings.Contains(record, "citations_dropped") != (tt.kind == domain.AgentBuiltin) || !strings.Contains(record, `"passages"`) || !strings.Contains(record, "A line has one end.") {
			t.Errorf("%s: on record %s", tt.kind, record)
		}
		if strings.Contains(record, "whole prompt") || !strings.Contains(record, `"prompt_chars": 16`) {
			t.Errorf("%s: the prompt is not as the organisation keeps it: %s", tt.kind, record)
		}
	}
}

func recorded(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) string {
	t.Helper()
	items, err := l.Timeline(t.Context(), f.Org, f.Thread)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, i := range items {
		all.WriteString(string(i.Kind) + string(i.Detail) + "\n")
	}
	return all.String()
}
