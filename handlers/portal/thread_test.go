package portal_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestThreadShowsTheConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	path := "/threads/" + string(w.thread(b, "Hello?", "<script>alert(1)</script>"))
	page := b.page(path + "?tab=agents&q=hello")
	want(t, page, "Hello?", "&lt;script&gt;alert(1)&lt;/script&gt;", "Ada answers", "Ada is answering. Replying takes the conversation over.", "Today",
		`hx-sse:connect="`+path+`/stream"`, `action="`+path+`/takeover?q=hello&amp;tab=agents"`, `href="/inbox?q=hello&amp;tab=agents"`, "Take over", "Close")
	without(t, page, "<script>alert", "Hand back")
	want(t, b.page("/inbox"), `hx-sse:connect="/inbox/stream"`)
}

func TestThreadChangesHands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	path := "/threads/" + string(thread)
	for _, step := range []struct {
		do     string
		state  domain.Handling
		has    []string
		hasNot string
	}{
		{"takeover", domain.HandlingHuman, []string{"You have it", "Acme Lindqvist took over", "Hand back"}, "Take over</span>"},
		{"takeover", domain.HandlingHuman, []string{"You have it"}, "Take over</span>"},
		{"handback", domain.HandlingAgent, []string{"Ada answers", "Acme Lindqvist handed back to the agent"}, "Hand back</span>"},
		{"close", domain.HandlingClosed, []string{"Closed", "closed the conversation", "Replying opens it again"}, "Hand back</span>"},
		{"handback", domain.HandlingAgent, []string{"Ada answers"}, "Hand back</span>"},
	} {
		a := b.post(path + "/" + step.do + "?tab=open")
		if a.status != http.StatusSeeOther || a.to() != path {
			t.Fatalf("%s: %d to %q", step.do, a.status, a.to())
		}
		page := b.page(path)
		want(t, page, step.has...)
		without(t, page, step.hasNot)
		if c, err := w.chat.Conversation(t.Context(), b.user.OrgID, thread); err != nil || c.Handling != step.state {
			t.Errorf("after %s: %q, %v", step.do, c.Handling, err)
		}
	}
	if a := b.post(path + "/takeover?tab=waiting&q=x"); a.to() != path+"?q=x&tab=waiting" {
		t.Errorf("the list beside it moves to %q", a.to())
	}
}

func TestReadIsRecordedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	path := "/threads/" + string(w.thread(b, "one", "two"))
	want(t, b.page(path), `hx-post="`+path+`/read"`, `hx-vals="seq:2"`, "Mark as read")
	for range 2 {
		if a := b.post(path+"/read", "seq", "2"); a.status != http.StatusSeeOther || a.to() != path {
			t.Fatalf("%d to %q", a.status, a.to())
		}
	}
	without(t, b.page(path), "Mark as read")
	if n := strings.Count(b.page(path+"/timeline"), "The team read up to here"); n != 1 {
		t.Errorf("read %d times", n)
	}
}

var lineSeqs = regexp.MustCompile(`line (\d+)</p>`)

func linesOf(page string) (from, to string, n int) {
	all := lineSeqs.FindAllStringSubmatch(page, -1)
	if len(all) == 0 {
		return "", "", 0
	}
	return all[0][1], all[len(all)-1][1], len(all)
}

func TestLongThreadIsShownFromItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	v := w.visitor(w.widget(b, ""))
	const many = 130
	for n := range many {
		if n%15 == 0 {
			// the widget's rate limit is not what this is about
			if _, err := w.ledger.NewRaw("UPDATE threads SET window_count = 0").Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.says(&v, fmt.Sprintf("line %d", n+1))
	}
	path := "/threads/" + string(v.Thread.ID)
	for _, c := range []struct {
		query, first, last string
		n                  int
	}{
		{"", "81", "130", 50},
		{"?before=81", "31", "130", 100},
		{"?before=31", "1", "130", 130},
		{"?before=nonsense", "1", "130", 130},
		{"/messages?after=80", "81", "130", 50},
		{"/messages?after=129", "130", "130", 1},
		{"/messages?after=-5", "1", "130", 130},
		{"/messages?after=999", "130", "130", 1},
	} {
		page := b.page(path + c.query)
		if from, to, n := linesOf(page); from != c.first || to != c.last || n != c.n {
			t.Errorf("%s: %s to %s, %d lines", c.query, from, to, n)
		}
		if more := strings.Contains(page, "Show earlier messages"); more != (c.first != "1") {
			t.Errorf("%s: a way to earlier ones %v", c.query, more)
		}
	}
	part := b.page(path + "/messages?after=80")
	want(t, part, `id="first" name="after" value="80"`, `hx-target="#conversation-head"`, `hx-target="#composer-hint"`)
	without(t, part, "<html", "<textarea")
}

func TestFailureIsShownUntilSomebodyActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "Hello?")
	path := "/threads/" + string(thread)
	w.giveUp(b, thread, "connection refused")
	want(t, b.page(path), "The agent could not answer.", "Connection refused.", `action="`+path+`/handback"`, "Waiting for a person")
	want(t, b.page("/inbox"), "Agent failed")
	want(t, b.page("/inbox?tab=waiting"), "Agent failed")
	if a := b.post(path + "/handback"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	page := b.page(path)
	without(t, page, "The agent could not answer.")
	want(t, page, "Ada answers")
	want(t, b.page(path+"/timeline"), "The agent gave up after 1 attempt", "The agent was asked to answer")
}

// A thread that has become part of another one leads there, and the page says so.
func TestMergedThreadLeadsToTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	gone, into := w.thread(b, "Hello?"), w.thread(b, "And here?")
	ledgertest.Set(t, w.ledger, "threads", gone, "merged_into", into)
	ledgertest.Set(t, w.ledger, "threads", gone, "last_message_at", nil)
	if a := eve.get("/threads/" + string(gone)); a.status != http.StatusNotFound {
		t.Errorf("another organisation's: %d to %q", a.status, a.to())
	}
	a := b.get("/threads/" + string(gone))
	if a.status != http.StatusSeeOther || a.to() != "/threads/"+string(into) {
		t.Fatalf("%d to %q", a.status, a.to())
	}
	want(t, b.page(a.to()), "has become part of this one", "And here?")
	without(t, b.page(a.to()), "has become part of this one")
}
