package views

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Turns stand together under what they came to, and nothing leaves the order in which it happened.
func TestTurnsOfARecord(t *testing.T) {
	t.Parallel()
	of := func(sec int, kind domain.TimelineKind, turn domain.TurnID, d map[string]any) domain.TimelineItem {
		raw, _ := json.Marshal(d)
		return domain.TimelineItem{At: now.Add(time.Duration(sec) * time.Second), Kind: kind, TurnID: turn, Detail: raw}
	}
	r := Record{Conversation: Conversation{Now: now}, Items: []domain.TimelineItem{
		of(0, domain.MessageReceived, "", nil),
		of(1, domain.TurnStarted, "one", map[string]any{"attempt": 1, "agent_name": "Ava", "status": "failed", "took_ms": 700}),
		of(2, domain.TurnFailure, "one", map[string]any{"error": "no answer"}),
		of(3, domain.TurnStarted, "two", map[string]any{"attempt": 2, "agent_name": "Ava", "status": "done", "took_ms": 3200}),
		of(4, domain.MessageReceived, "", nil),
		of(5, domain.ModelCall, "two", map[string]any{"prompt_tokens": 10, "completion_tokens": 5, "cost_usd": 0.002}),
		of(6, domain.SuggestionStored, "two", nil),
		of(7, domain.SuggestionUsed, "two", map[string]any{"name": "Anna"}),
		of(8, domain.TurnStarted, "three", map[string]any{"attempt": 1, "status": "running"}),
	}}
	var got []string
	items := 0
	for _, s := range r.stretches() {
		items += len(s.items)
		if s.turn == nil {
			got = append(got, s.items[0].title)
			continue
		}
		words := s.turn.title() + " " + s.turn.agent + " " + s.turn.outcome + " " + s.turn.sum()
		if s.again {
			words = "again"
		}
		got = append(got, words)
	}
	want := "Visitor wrote|Attempt 1 Ava Failed 700 ms|Attempt 2 Ava Drafted 3.2 s · 15 tokens · $0.0020|Visitor wrote|again|Anna sent the draft as it was|Attempt 1 The agent Under way "
	if s := strings.Join(got, "|"); s != want || items != len(r.Items) {
		t.Errorf("%d items in\n%s\nwant\n%s", items, s, want)
	}
}

func TestSearchedAs(t *testing.T) {
	t.Parallel()
	for _, tt := range [][3]string{
		{"how long is the waranty?", "how long is the warranty?", " “waranty” is in no article, so it was searched as “warranty”."},
		{"", "warranty", " Searched as “warranty”."},
		{"waranty", "", ""},
	} {
		if got := searchedAs(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%q, %q: %q", tt[0], tt[1], got)
		}
	}
}
