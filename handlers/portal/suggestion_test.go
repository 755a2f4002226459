package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// suggestion is the draft that waits in a thread.
func (w *world) suggestion(b *browser, thread domain.ThreadID) ledger.Suggestion {
	w.t.Helper()
	s, err := w.chat.Suggestion(w.t.Context(), b.user.OrgID, thread)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) said(b *browser, thread domain.ThreadID) []domain.Message {
	w.t.Helper()
	ms, err := w.chat.Messages(w.t.Context(), b.user.OrgID, thread, 0, 99)
	if err != nil {
		w.t.Fatal(err)
	}
	return ms
}

func TestSuggestionIsSentAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	v := w.visitor(w.widget(b, w.agent(b, "Ada").ID))
	thread := w.says(&v, "Hello?")
	path := "/threads/" + string(thread)
	w.suggestSaid(b, thread, ledger.Said{Content: "We open at **nine**. <b>", ContentType: domain.Markdown, Citations: []domain.Citation{{Title: "Hours", URL: "/hours", Snippet: "Nine."}}})
	turn := string(w.suggestion(b, thread).Turn)
	page := b.page(path)
	want(t, page, "Ada suggests", "<strong>nine</strong>", "1 source", `name="use" value="`+turn+`"`, `name="edit"`, `name="discard"`, `form="composer-`+string(thread)+`"`)
	without(t, page, "has written since", "<b>")

	// another draft's button does nothing
	wrong := b.post(path+"/reply", "client_id", "c0", "body", "half a wo", "use", string(thread))
	want(t, wrong.body, "half a wo</textarea>", "no longer the one that waits")
	if a := b.htmx(path+"/reply", "client_id", "c1", "body", "half a wo", "use", turn); a.status != http.StatusOK || !strings.Contains(a.body, "half a wo</textarea>") ||
		a.header.Get("HX-Trigger") != "grown" {
		t.Errorf("%d %s", a.status, a.body)
	}
	ms := w.said(b, thread)
	if len(ms) != 2 || ms[1].Content != "We open at **nine**. <b>" || ms[1].ContentType != domain.Markdown || len(ms[1].Citations) != 1 || ms[1].Author.Kind != domain.AuthorHuman {
		t.Errorf("%+v", ms)
	}
	without(t, b.page(path), "Ada suggests")
	want(t, b.page(path+"/timeline"), "sent the draft as it was")

	// the next line gets a draft although a person has the thread, and it says when it is too old
	w.says(&v, "And on Sundays?")
	w.answers(b, thread, ledger.Said{Content: "Closed on Sundays."})
	want(t, b.page(path), "Closed on Sundays.", "You have it")
	w.says(&v, "Or Mondays?")
	want(t, b.page(path+"/messages"), "Closed on Sundays.", "has written since")
}

func TestSuggestionIsEditedFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	path := "/threads/" + string(thread)
	w.suggest(b, thread, "We open at nine in the morning.")
	turn := string(w.suggestion(b, thread).Turn)
	// with scripts off the words come back in the page, behind what was typed
	a := b.post(path+"/reply", "client_id", "c1", "body", "Hi!", "edit", turn)
	if a.status != http.StatusOK {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	want(t, a.body, "Hi!\n\nWe open at nine in the morning.</textarea>", `name="draft" value="`+turn+`"`, "Ada suggests")
	if ms := w.said(b, thread); len(ms) != 1 {
		t.Errorf("editing said %+v", ms)
	}
	if a := b.post(path+"/reply", "client_id", "c2", "body", "Hi!\r\n\r\nWe open at ten.", "draft", turn); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	page := b.page(path + "/timeline")
	want(t, page, "changed the draft before sending it", "<del>", "<ins>")
	without(t, b.page(path), "Ada suggests")
}

func TestSuggestionIsDiscarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	thread := w.thread(b, "Hello?")
	path := "/threads/" + string(thread)
	w.suggest(b, thread, "We open at nine.")
	turn := string(w.suggestion(b, thread).Turn)
	for _, act := range []string{"use", "edit", "discard"} {
		if a := eve.post(path+"/reply", act, turn); a.status != http.StatusNotFound {
			t.Errorf("a stranger's %s: %d", act, a.status)
		}
	}
	if a := b.post(path+"/reply", "client_id", "c1", "body", "", "discard", turn); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	without(t, b.page(path), "Ada suggests")
	want(t, b.page(path+"/timeline"), "discarded the draft")
	if a := b.post(path+"/reply", "client_id", "c2", "body", "", "use", turn); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	}
	if ms := w.said(b, thread); len(ms) != 1 {
		t.Errorf("said %+v", ms)
	}
}

// A person who writes something else has decided against the draft, and that is on record.
func TestAnswerOfOnesOwnDiscardsTheDraft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	w.suggest(b, thread, "We open at nine.")
	if a := b.post("/threads/"+string(thread)+"/reply", "client_id", "c1", "body", "Please call us."); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	want(t, b.page("/threads/"+string(thread)+"/timeline"), "discarded the draft", "An answer of their own was sent.")
}
