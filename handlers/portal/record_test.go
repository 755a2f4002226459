package portal_test

import (
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

func TestRecordTellsWhyNobodyWasAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	v := w.visitor(w.widget(b, ""))
	thread := w.says(&v, "Hello?")
	page := b.page("/threads/" + string(thread) + "/timeline")
	want(t, page, "No agent was asked", "Why: no agent is bound to the widget “Shop”.", "<blockquote>Hello?</blockquote>", "+0 ms", "no_agent")
	part := b.page("/threads/" + string(thread) + "/timeline/items")
	want(t, part, "No agent was asked")
	without(t, part, "<html")
}

func TestRecordTellsATurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "When do you open?")
	w.answers(b, thread, ledger.Said{
		Content: "We open at **nine**. [More](javascript:alert(1))", ContentType: domain.Markdown,
		Citations: []domain.Citation{{Title: "Hours <b>", URL: "https://acme.example/hours", Snippet: "Nine to five."}},
	})
	path := "/threads/" + string(thread)
	want(t, b.page(path+"/timeline"), "The agent was asked to answer", "Ada began to answer", "Asked the model small-1",
		"900 ms · 12 tokens in, 7 out · $0.0020", "The agent’s answer was stored and sent", "We open at **nine**.")
	page := b.page(path)
	want(t, page, "<strong>nine</strong>", "1 source", "Hours &lt;b&gt;", `href="https://acme.example/hours"`, "Nine to five.")
	without(t, page, `="javascript:`, "**nine**")
}
