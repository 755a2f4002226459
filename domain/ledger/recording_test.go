package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// The sweep takes away what was said to and by a model, and nothing of what it cost; younger steps and other organisations' stay.
func TestSweepSteps(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	short, never := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	for _, f := range []ledgertest.Fixture{short, never} {
		if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread,
			Change: ledger.Line{SessionID: f.Session.ID, ClientID: "1", Content: "hello"}}); err != nil {
			t.Fatal(err)
		}
	}
	claims, err := l.Claim(t.Context(), 9, time.Minute, ledger.Pauses{})
	if err != nil || len(claims) != 2 {
		t.Fatalf("%v, %v", claims, err)
	}
	for _, c := range claims {
		steps := []ledger.Step{
			{Kind: domain.ModelCall, At: 100 * 24 * time.Hour, Detail: map[string]any{"model": "m", "ms": 5, "prompt": "secret", "response": "secret"}},
			{Kind: domain.ToolResult, At: 100 * 24 * time.Hour, Detail: map[string]any{"name": "search_knowledge", "hits": 1, "passages": []string{"secret"}}},
			{Kind: domain.ModelCall, Detail: map[string]any{"model": "m", "prompt": "young"}},
		}
		if _, err := l.Append(t.Context(), ledger.Append{OrgID: c.OrgID, ThreadID: c.ThreadID,
			Change: ledger.TurnEnd{TurnRef: c.TurnRef, Said: &ledger.Said{N: 1, Content: "hi"}, Steps: steps}}); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := l.Recording(t.Context(), short.Org); err != nil || r != (domain.Recording{Content: domain.RecordMetadata, Days: 90}) {
		t.Errorf("to begin with: %+v, %v", r, err)
	}
	if err := l.SetRecording(t.Context(), never.Org, domain.Recording{Content: domain.RecordOff, Days: 0}); err != nil {
		t.Fatal(err)
	}
	if r, err := l.Recording(t.Context(), never.Org); err != nil || r != (domain.Recording{Content: domain.RecordOff}) {
		t.Errorf("%+v, %v", r, err)
	}
	total := 0
	for {
		n, err := l.SweepSteps(t.Context(), time.Now(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		total += n
	}
	if total != 2 {
		t.Errorf("%d steps were swept, want 2", total)
	}
	if got := details(t, l, short); strings.Contains(got, "secret") || !strings.Contains(got, `"swept":true`) || !strings.Contains(got, `"ms":5`) ||
		!strings.Contains(got, "young") || !strings.Contains(got, `"hits":1`) {
		t.Errorf("kept %s", got)
	}
	if got := details(t, l, never); strings.Count(got, "secret") != 3 {
		t.Errorf("where all is kept: %s", got)
	}
}

func details(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) string {
	t.Helper()
	items, err := l.Timeline(t.Context(), f.Org, f.Thread)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, i := range items {
		all.WriteString(strings.ReplaceAll(string(i.Detail), `": `, `":`))
	}
	return all.String()
}
