package portal_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

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

var earlierPart = regexp.MustCompile(`href="(/threads/[^"]+/timeline\?before=[^"]+)"`)

// A long record comes in parts that are quick and small; going back through them shows every line once.
func TestRecordComesInParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	widget := w.widget(b, "")
	if _, err := w.ledger.NewRaw("UPDATE widgets SET rate_messages = 1000, daily_cap = 1000").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := w.visitor(widget)
	const lines = 280 // two happenings each
	for n := range lines {
		w.says(&v, fmt.Sprintf("line %d.", n))
	}
	path := "/threads/" + string(v.Thread.ID) + "/timeline"
	seen := map[string]int{}
	at, parts := path, 0
	for ; at != "" && parts < 20; parts++ {
		began := time.Now()
		page := b.page(at)
		t.Logf("part %d: %d kB in %s", parts, len(page)/1000, time.Since(began).Round(time.Millisecond))
		if len(page) > 400_000 {
			t.Errorf("a page of %d bytes", len(page))
		}
		for n := range lines {
			seen[fmt.Sprintf("<blockquote>line %d.</blockquote>", n)] += strings.Count(page, fmt.Sprintf("<blockquote>line %d.</blockquote>", n))
		}
		if live := strings.Contains(page, `/timeline/items`); live != (parts == 0) {
			t.Errorf("part %d is kept current: %v", parts, live)
		}
		if m := earlierPart.FindStringSubmatch(page); m != nil {
			at = m[1]
		} else {
			at = ""
		}
	}
	for line, n := range seen {
		if n != 1 {
			t.Errorf("%s stands %d times", line, n)
		}
	}
	if parts < 3 {
		t.Errorf("%d parts", parts)
	}
	from := regexp.MustCompile(`name="from" value="([^"]+)"`).FindStringSubmatch(b.page(path))[1]
	w.says(&v, "one more")
	now := b.page(path + "/items?earlier=on&from=" + from)
	want(t, now, "<blockquote>one more</blockquote>", `value="`+from+`"`, "Show what happened earlier")
	if a := b.get(path + "?before=nonsense"); a.status != 400 && a.status != 422 {
		t.Errorf("a place that is none: %d", a.status)
	}
	if a := eve.get(path + "?before=" + from); a.status != 404 {
		t.Errorf("another organisation: %d", a.status)
	}
}
