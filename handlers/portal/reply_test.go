package portal_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

func (w *world) messages(b *browser, thread domain.ThreadID) []domain.Message {
	w.t.Helper()
	ms, err := w.chat.Messages(w.t.Context(), b.user.OrgID, thread, 0, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return ms
}

var clientIDs = regexp.MustCompile(`name="client_id" value="([^"]+)"`)

func clientIDOf(t *testing.T, page string) string {
	t.Helper()
	m := clientIDs.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no client id in\n%s", tidy(page))
	}
	return m[1]
}

// A double click, a reload, and a lost answer all send the same form again.
func TestSameFormIsStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	path := "/threads/" + string(thread)
	form := clientIDOf(t, b.page(path))
	for range 2 {
		if a := b.post(path+"/reply?tab=agents", "client_id", form, "body", "  Hi there!\r\n"); a.status != http.StatusSeeOther || a.to() != path+"?tab=agents" {
			t.Fatalf("%d to %q", a.status, a.to())
		}
	}
	a := b.htmx(path+"/reply", "client_id", form, "body", "Hi there!")
	if a.status != http.StatusOK {
		t.Fatal(a.status)
	}
	if ms := w.messages(b, thread); len(ms) != 2 || ms[1].Content != "Hi there!" || ms[1].Author.Name != "Acme Lindqvist" || ms[1].Author.Kind != domain.AuthorHuman {
		t.Errorf("%+v", ms)
	}
	page := b.page(path)
	want(t, page, "Hi there!", "You have it", "Sent")
	if next := clientIDOf(t, page); next == form {
		t.Error("the next form has the same client id")
	}
}

func TestReplyByScriptBringsANewForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	path := "/threads/" + string(thread)
	a := b.htmx(path+"/reply", "client_id", "c1", "body", "Hi there!")
	if a.status != http.StatusOK || a.header.Get("HX-Trigger") != "grown" {
		t.Fatalf("%d, trigger %q", a.status, a.header.Get("HX-Trigger"))
	}
	want(t, a.body, `id="composer-`+string(thread)+`"`, "autofocus", "></textarea>")
	without(t, a.body, "<html", "Hi there!", `value="c1"`)
	boosted := b.send(http.MethodPost, path+"/reply", form("client_id", "c2", "body", "And again"), "HX-Request", "true", "HX-Boosted", "true")
	if boosted.status != http.StatusSeeOther {
		t.Errorf("a form sent like a browser's: %d", boosted.status)
	}
}

func TestReplyComesBackWithItsProblem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	path := "/threads/" + string(thread)
	for _, c := range []struct{ name, body, problem string }{
		{"blank", " \n ", "Your message must not be empty."},
		{"too long", strings.Repeat("x", 4001), "Your message must have at most 4000 characters."},
		{"hostile and too long", "<script>alert(1)</script>" + strings.Repeat("x", 4001), "Your message must have at most 4000 characters."},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, note := range []string{"", "on"} {
				part := b.htmx(path+"/reply", "client_id", "c1", "body", c.body, "note", note)
				whole := b.post(path+"/reply", "client_id", "c1", "body", c.body, "note", note)
				for kind, a := range map[string]answer{"part": part, "whole": whole} {
					if a.status != http.StatusUnprocessableEntity {
						t.Errorf("%s: %d", kind, a.status)
					}
					want(t, a.body, c.problem, "is-wrong", `aria-invalid="true"`)
					without(t, a.body, "<script>alert")
					if len(c.body) > 4000 && !strings.Contains(a.body, c.body[len(c.body)-4000:]) {
						t.Errorf("%s: what was typed is gone", kind)
					}
				}
				if part := strings.Contains(part.body, "<html"); part || !strings.Contains(whole.body, "<html") {
					t.Error("a script gets the form, a browser the page")
				}
			}
		})
	}
	if n := len(w.messages(b, thread)); n != 1 {
		t.Errorf("%d messages", n)
	}
	if a := b.htmx(path+"/reply", "body", "Hi"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without a client id: %d", a.status)
	}
}

func TestNoteIsForTheTeamOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	path := "/threads/" + string(thread)
	if a := b.htmx(path+"/reply", "client_id", "c1", "body", "He sounds <b>cross</b>", "note", "on"); a.status != http.StatusOK {
		t.Fatal(a.status)
	}
	if a := b.post(path+"/note", "body", "Second note"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	page := b.page(path)
	want(t, page, "<bdi>Acme Lindqvist</bdi> noted", `<p class="plain" dir="auto">`, "He sounds &lt;b&gt;cross&lt;/b&gt;", "Second note", "Ada answers")
	if n := len(w.messages(b, thread)); n != 1 {
		t.Errorf("a note became a message: %d", n)
	}
	want(t, b.page(path+"/timeline"), "left a note for the team", "He sounds &lt;b&gt;cross")
}
