package dispatch_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// undelivered counts what has not arrived.
func undelivered(t *testing.T, l *ledger.Ledger) (n int) {
	t.Helper()
	if err := l.NewRaw(`SELECT count(*) FROM deliveries WHERE status <> 'done'`).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// However a conversation comes to wait for a person, it is opened there: once, and after what was said in it.
func TestChatwootOpensWhatWaits(t *testing.T) {
	t.Parallel()
	asks := func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		return agent.Result{Reply: &agent.Reply{Content: "A colleague will help you."}, Handoff: &agent.Handoff{Reason: "refund"}}, nil
	}
	tests := []struct {
		name  string
		voice voice
		wants ledger.Change // instead of a line
		wrong func(r *http.Request, n int) (status int, lost bool)
		first int // posts before it
	}{
		{"the agent asks for a person", asks, nil, nil, 1},
		{"the visitor does", asks, ledger.AskForPerson{}, nil, 0},
		{"Chatwoot is broken at first", asks, nil, func(_ *http.Request, n int) (int, bool) { return map[bool]int{true: 503}[n%2 == 1], false }, 1},
		{"its answers are lost at first", asks, nil, func(_ *http.Request, n int) (int, bool) { return 0, n < 3 }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, c := ledgertest.New(t), newThere(t)
			f := ledgertest.Seed(t, l)
			f = conversation(t, l, c.account(t, l, f), f, "41")
			c.fail(tt.wrong)
			start(t, l, tt.voice, dispatch.Options{})
			deliver(t, l, &dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}})
			if tt.wants != nil {
				do(t, l, f, tt.wants)
			} else {
				hears(t, l, f, "1")
			}
			within(t, "the open conversation", func() bool { _, s := c.told("41"); return len(s) > 0 && undelivered(t, l) == 0 })
			notes, status := c.told("41")
			if want := fmt.Sprintf("open after %d and 0", tt.first); len(notes) > 0 || slices.ContainsFunc(status, func(s string) bool { return s != want }) || tt.wrong == nil && len(status) > 1 {
				t.Errorf("notes %q, status %q", notes, status)
			}
			if got := c.heard("41"); len(got) != tt.first {
				t.Errorf("said %q", got)
			}
		})
	}
}

// A conversation that nobody waits in any more is left as it is, and one that is gone holds up nothing.
func TestChatwootOpensOnlyWhatWaits(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	ch := c.account(t, l, f)
	back, gone := conversation(t, l, ch, f, "41"), conversation(t, l, ch, f, "42")
	do(t, l, back, ledger.AskForPerson{})
	do(t, l, back, ledger.HandBack{User: f.User})
	c.fail(func(r *http.Request, _ int) (int, bool) {
		return map[bool]int{true: 404}[strings.HasSuffix(r.URL.Path, "/42/toggle_status")], false
	})
	do(t, l, gone, ledger.AskForPerson{})
	do(t, l, f, ledger.AskForPerson{}) // a webchat
	deliver(t, l, &dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}})
	within(t, "the end of all deliveries", func() bool { return undelivered(t, l) == 0 })
	for _, id := range []string{"41", "42"} {
		if _, status := c.told(id); len(status) > 0 {
			t.Errorf("%s: %q", id, status)
		}
	}
}

// What an agent only suggests is a note for the people there, with its sources, and never said to the contact. Once it is there its words
// are kept no longer than Chatwoot keeps them.
func TestChatwootDraftsAreNotes(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	f = conversation(t, l, c.account(t, l, f), f, "41")
	ledgertest.Set(t, l, "agents", f.Agent, "send_mode", "suggest")
	ledgertest.Set(t, l, "agents", f.Agent, "kind", "http")
	c.fail(func(_ *http.Request, n int) (int, bool) { return 0, n == 1 }) // the answer to the first post is lost
	start(t, l, func(_ context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		return agent.Result{Reply: &agent.Reply{Content: "We ship *daily* (" + r.Messages[len(r.Messages)-1].Content + ").",
			Citations: []domain.Citation{{Title: "Shipping", URL: "https://shop.example/shipping"}, {Title: "Terms"}}}}, nil
	}, dispatch.Options{})
	deliver(t, l, &dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}})
	note := func(id string) string {
		return "**Ada suggests:**\n\nWe ship *daily* (line " + id + ").\n\nSources:\n- [Shipping](https://shop.example/shipping)\n- Terms"
	}
	hears(t, l, f, "1")
	within(t, "the first note", func() bool { _, status := c.told("41"); return len(status) == 1 && undelivered(t, l) == 0 })
	hears(t, l, f, "2")
	within(t, "the second note", func() bool { notes, _ := c.told("41"); return len(notes) > 1 && undelivered(t, l) == 0 })
	notes, status := c.told("41")
	if want := []string{note("1"), note("2")}; !slices.Equal(notes, want) || !slices.Equal(status, []string{"open after 0 and 1"}) {
		t.Errorf("notes %q, status %q", notes, status)
	}
	if got := c.heard("41"); len(got) > 0 {
		t.Errorf("the contact was told %q", got)
	}
	var kept int
	if err := l.NewRaw(`SELECT count(*) FROM deliveries WHERE payload::text LIKE '%daily%'`).Scan(t.Context(), &kept); err != nil || kept > 0 {
		t.Errorf("%d deliveries keep their words, %v", kept, err)
	}
}
