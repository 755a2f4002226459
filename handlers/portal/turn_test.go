package portal_test

import (
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// turn begins the turn of a thread's agent, as the dispatcher would.
func (w *world) turn(thread domain.ThreadID) ledger.Claim {
	w.t.Helper()
	claims, err := w.ledger.Claim(w.t.Context(), 1, time.Minute, ledger.Pauses{})
	if err != nil || len(claims) != 1 || claims[0].ThreadID != thread {
		w.t.Fatalf("claimed %v, %v", claims, err)
	}
	return claims[0]
}

func (w *world) append(b *browser, thread domain.ThreadID, c ledger.Change) {
	w.t.Helper()
	if _, err := w.ledger.Append(w.t.Context(), ledger.Append{OrgID: b.user.OrgID, ThreadID: thread, Change: c}); err != nil {
		w.t.Fatal(err)
	}
}

// answers ends the agent's turn with a reply.
func (w *world) answers(b *browser, thread domain.ThreadID, said ledger.Said) {
	w.t.Helper()
	w.append(b, thread, ledger.TurnEnd{TurnRef: w.turn(thread).TurnRef, Said: &said, Steps: []ledger.Step{
		{Kind: domain.ModelCall, At: time.Second, Detail: map[string]any{"model": "small-1", "ms": 900, "prompt_tokens": 12, "completion_tokens": 7, "cost_usd": 0.002}},
	}})
}

// suggest ends it with a reply that waits for a person's yes.
func (w *world) suggest(b *browser, thread domain.ThreadID, content string) {
	w.t.Helper()
	w.suggestSaid(b, thread, ledger.Said{Content: content})
}

func (w *world) suggestSaid(b *browser, thread domain.ThreadID, said ledger.Said) {
	w.t.Helper()
	if _, err := w.ledger.NewRaw("UPDATE agents SET send_mode = ?", domain.Suggest).Exec(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.answers(b, thread, said)
}

// giveUp ends it with a failure for good.
func (w *world) giveUp(b *browser, thread domain.ThreadID, reason string) {
	w.t.Helper()
	w.append(b, thread, ledger.TurnFail{TurnRef: w.turn(thread).TurnRef, Reason: reason, Final: true})
}
