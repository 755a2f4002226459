package portal_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// found ends the agent's turn with an answer that rests on an article.
func (w *world) found(b *browser, thread domain.ThreadID) domain.Message {
	w.t.Helper()
	said := ledger.Said{N: 1, Content: "We open at **nine**.", ContentType: domain.Markdown, Citations: []domain.Citation{{Title: "Hours", Snippet: "Nine to five."}},
		Unfounded: []domain.Citation{{Title: "Made up"}}}
	w.append(b, thread, ledger.TurnEnd{TurnRef: w.turn(thread).TurnRef, Said: &said, Steps: []ledger.Step{
		{Kind: domain.ToolCall, At: time.Second, Detail: map[string]any{"name": "search_knowledge", "query": "opening hours"}},
		{Kind: domain.ToolResult, At: time.Second, Detail: map[string]any{"name": "search_knowledge", "hits": 1, "confidence": 0.62, "min_confidence": 0.25, "ms": 12,
			"passages": []map[string]any{{"title": "Hours <b>", "url": "javascript:alert(1)", "snippet": "Nine <i>to</i> five.", "confidence": 0.62}}}},
		{Kind: domain.ModelCall, Detail: map[string]any{"model": "small-1", "ms": 900, "prompt_tokens": 12, "completion_tokens": 7, "cost_usd": 0.002,
			"prompt": []map[string]any{{"role": "system", "content": "Be <kind>."}}, "response": "We open at nine."}},
	}})
	ms := w.said(b, thread)
	return ms[len(ms)-1]
}

func TestWhySaysHowAnAnswerCameAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	thread := w.thread(b, "When do you open?")
	m := w.found(b, thread)
	path := "/threads/" + string(thread)
	w.chat.Delivered(m, "websocket")
	page := b.page(path + "/why/" + string(m.ID))
	want(t, page, "Why did it say that?", "<strong>nine</strong>", "found it in 1 article", "<blockquote>When do you open?</blockquote>", "agents are switched on for the widget “Shop”",
		"<q>opening hours</q>", "Hours &lt;b&gt;", "62 %", "Nine &lt;i&gt;to&lt;/i&gt; five.", "Asked the model small-1", "Be &lt;kind&gt;.", "19 tokens", "$0.0020",
		"after the visitor wrote")
	without(t, page, `href="javascript:`)
	want(t, b.page(path), `href="`+path+`/why/`+string(m.ID))
	want(t, b.page(path+"/timeline"), `/why/`+string(m.ID), "1 passage", "The best fits to 62 %", "It also named 1 source", "Word by word", "Answered after", "timeline.json")

	for _, a := range []answer{eve.get(path + "/why/" + string(m.ID)), b.get(path + "/why/" + string(thread)), b.get(path + "/why/nonsense"), eve.get(path + "/timeline.json")} {
		if a.status != http.StatusNotFound {
			t.Errorf("%d", a.status)
		}
	}
	file := b.get(path + "/timeline.json")
	var got struct{ Items []domain.TimelineItem }
	if err := json.Unmarshal([]byte(file.body), &got); err != nil || len(got.Items) < 7 || !strings.Contains(file.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d items, %v, %v", len(got.Items), err, file.header)
	}
}

func TestWhyOfAPersonsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	if a := b.post("/threads/"+string(thread)+"/reply", "client_id", "c", "body", "Hi!"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	ms := w.said(b, thread)
	want(t, b.page("/threads/"+string(thread)+"/why/"+string(ms[1].ID)), "Acme Lindqvist wrote it. No agent had a part in it.", "Nothing is known yet")
}

func TestSettingsAreForOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	want(t, b.page("/settings"), `value="metadata" checked`, `value="90"`, "Their length")
	want(t, b.page("/inbox"), `href="/settings"`)
	for _, bad := range [][]string{{"record_content", "some", "record_days", "1"}, {"record_content", "off", "record_days", "many"}, {"record_content", "off", "record_days", "4000"}} {
		if a := b.post("/settings", bad...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, a.status)
		}
	}
	if a := b.post("/settings", "record_content", "full", "record_days", "0"); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	want(t, b.page("/settings"), "Saved.", `value="full" checked`, `value="0"`)
	if _, err := w.ledger.NewRaw("UPDATE users SET role = ?", domain.RoleMember).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := b.get("/settings"); a.status != http.StatusForbidden {
		t.Errorf("a member sees it: %d", a.status)
	}
	if a := b.post("/settings", "record_content", "off", "record_days", "0"); a.status != http.StatusForbidden {
		t.Errorf("a member changes it: %d", a.status)
	}
	without(t, b.page("/inbox"), `href="/settings"`)
}
