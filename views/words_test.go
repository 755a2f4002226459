package views

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

func TestContactName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		contact domain.Contact
		want    string
	}{
		{domain.Contact{ID: "01935c1e-0001-7000-8000-00000c004f2a"}, "Visitor 4F2A"},
		{domain.Contact{ID: "01935c1e-0001-7000-8000-00000c004f2a", Name: " ", Email: "a@example.com"}, "a@example.com"},
		{domain.Contact{Name: "Marta", Email: "a@example.com"}, "Marta"},
		{domain.Contact{Phone: "+351 1"}, "+351 1"},
		{domain.Contact{}, "Visitor"},
	} {
		if got := ContactName(c.contact); got != c.want {
			t.Errorf("%+v is called %q, want %q", c.contact, got, c.want)
		}
	}
}

func TestTimesAreWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ago       time.Duration
		short     string
		long, day string
	}{
		{0, "now", "just now", "Today"},
		{-time.Minute, "now", "just now", "Today"}, // our clock is behind the database's
		{59 * time.Second, "now", "just now", "Today"},
		{time.Minute, "1m", "1m ago", "Today"},
		{14 * time.Hour, "14h", "14h ago", "Today"},
		{15 * time.Hour, "15h", "15h ago", "Yesterday"},
		{6*24*time.Hour + time.Hour, "6d", "6d ago", "Sunday, 15 November"},
		{8 * 24 * time.Hour, "13 Nov", "on 13 Nov", "Friday, 13 November"},
		{400 * 24 * time.Hour, "17 Oct 2025", "on 17 Oct 2025", "Friday, 17 October 2025"},
	} {
		at := now.Add(-c.ago)
		if s, l, d := ago(now, at), agoLong(now, at), dayName(now, at); s != c.short || l != c.long || d != c.day {
			t.Errorf("%v before: %q, %q, %q", c.ago, s, l, d)
		}
	}
	tokyo := now.In(time.FixedZone("JST", 9*3600))
	if d := dayName(tokyo, now.Add(-6*time.Hour)); d != "Today" || dayName(now.UTC(), now.Add(-15*time.Hour)) != "Yesterday" {
		t.Errorf("days are not the viewer's: %q", d)
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 0: "+0 ms", 812 * time.Millisecond: "+812 ms", 1340 * time.Millisecond: "+1.3 s", 3*time.Minute + 20*time.Second: "+3 min 20 s", 2*time.Hour + 5*time.Minute: "+2 h 5 min",
	} {
		if got := offset(d); got != want {
			t.Errorf("offset %v is %q, want %q", d, got, want)
		}
	}
}

func TestEntriesAreInOrderAndGrouped(t *testing.T) {
	t.Parallel()
	c := talk()
	twice := item(10*time.Minute, domain.HumanJoined, map[string]any{"name": "Tomás"})
	c.Moves = append(c.Moves, twice)
	var last time.Time
	names := map[string]bool{}
	days, grouped := 0, 0
	for _, e := range c.entries() {
		if e.at.Before(last) {
			t.Errorf("%s stands after something later", e.id)
		}
		if names[e.id] {
			t.Errorf("%s stands twice", e.id)
		}
		names[e.id], last = true, e.at
		if e.day != "" {
			days++
		}
		if e.follows {
			grouped++
		}
	}
	if len(names) != len(c.Messages)+len(c.Moves) || days != 2 || grouped != 2 {
		t.Errorf("%d entries, %d days, %d grouped", len(names), days, grouped)
	}

	c.Earlier = true // what happened before the first message shown belongs to the page before
	c.Moves = append([]domain.TimelineItem{item(48*time.Hour, domain.Reopened, nil)}, c.Moves...)
	for _, e := range c.entries() {
		if e.move != nil && e.move.Kind == domain.Reopened {
			t.Error("an earlier page's move is shown")
		}
	}
}

func TestMarkdownIsASafeSubset(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"**bold** <b>x</b>":                  "<strong>bold</strong> x",
		"[a](javascript:alert(1))":           "a",
		"![leak](https://evil.example/?q=1)": "",
		"<script>alert(1)</script>":          "",
		"[a](https://acme.example/)":         `<a href="https://acme.example/" rel="nofollow noreferrer noopener" target="_blank">a</a>`,
		"`<img src=x onerror=alert(1)>`":     "<code>&lt;img src=x onerror=alert(1)&gt;</code>",
		"<a href='//x' style='color:red'>a":  "a",
		"| a |\n|---|\n| b |":                "<table>",
		"<iframe src=https://evil.example>":  "",
		"1. one\n2. two":                     "<ol>",
		"<p onclick=alert(1) class=x>hi</p>": "",
		"a\x00b":                             "a\ufffdb",
	} {
		var b strings.Builder
		if err := Markdown(source).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		if !strings.Contains(got, want) {
			t.Errorf("%q becomes %q, want %q", source, got, want)
		}
		for _, bad := range []string{"<script", "<img", "javascript:", "style=", "onclick", "<iframe"} {
			if strings.Contains(got, bad) {
				t.Errorf("%q becomes %q", source, got)
			}
		}
	}
}

func TestEveryKindIsToldInWords(t *testing.T) {
	t.Parallel()
	for _, h := range everyItem().happenings() {
		if h.icon == nil || h.tone == "" || h.title == "" {
			t.Errorf("%s: %+v", h.id, h)
		}
		if strings.Contains(h.title, "_") && h.title != "something_new" {
			t.Errorf("%q is not a sentence", h.title)
		}
	}
	for _, why := range []domain.SkipReason{
		domain.SkipNoAgent, domain.SkipAgentDisabled, domain.SkipTriggerOff, domain.SkipContactUnresolved, domain.SkipEmptyBody,
		domain.SkipCrossOrg, domain.SkipOptedOut, domain.SkipHumanHandling, domain.SkipBudgetExceeded, domain.SkipDailyCap,
	} {
		if s := skipWords(why, "Shop"); !strings.HasPrefix(s, "Why: ") {
			t.Errorf("%s: %q", why, s)
		}
	}
	if s := skipWords("brand_new", ""); s != "Brand_new." {
		t.Errorf("%q", s)
	}
}

func TestReadMarksAreFolded(t *testing.T) {
	t.Parallel()
	read := func(ago time.Duration, by string) domain.TimelineItem {
		return item(ago, domain.Read, map[string]any{"by": by})
	}
	r := Record{Conversation: Conversation{Now: now}, Items: []domain.TimelineItem{
		read(9*time.Minute, "team"), read(8*time.Minute, "team"), item(7*time.Minute, domain.Reopened, nil),
		read(6*time.Minute, "team"), read(5*time.Minute, "visitor"), read(4*time.Minute, "team"), read(3*time.Minute, "team"),
	}}
	var told []string
	for _, h := range r.happenings() {
		told = append(told, h.title)
	}
	if !slices.Equal(told, []string{"The team read up to here", "The conversation was opened again", "The team and the visitor read up to here"}) {
		t.Errorf("%q", told)
	}
	if h := r.happenings(); !h[0].at.Equal(now.Add(-8*time.Minute)) || !h[0].quiet || h[1].quiet {
		t.Errorf("%+v", h[0])
	}
}

func TestModelCallNamesWhoWasAsked(t *testing.T) {
	t.Parallel()
	for want, detail := range map[string]map[string]any{
		"Asked the agent’s service": {"kind": "websocket", "ms": 12},
		"Asked the model small-1":   {"kind": "openai", "model": "small-1"},
		"Asked the model":           {},
	} {
		if got := (Record{}).tell(item(0, domain.ModelCall, detail)).title; got != want {
			t.Errorf("%v: %q, want %q", detail, got, want)
		}
	}
}

func TestSwitchSaysWhatIsTrue(t *testing.T) {
	t.Parallel()
	off := ava
	off.Enabled = false
	silent := shopWidget()
	silent.WebchatEnabled = false
	for want, r := range map[string]WidgetRow{
		"Agent answers": {shopWidget(), ava}, "Agent suggests": {shopWidget(), courier}, "Agent is off": {shopWidget(), off},
		"Agent is silent": {silent, ava}, "No agent": {shopWidget(), domain.Agent{}},
	} {
		if got := r.answering(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSnippet(t *testing.T) {
	t.Parallel()
	if s := Snippet("https://chat.example/", "wid_1"); s != `<script async src="https://chat.example/widget.js" data-widget="wid_1"></script>` {
		t.Error(s)
	}
	for url, insecure := range map[string]bool{"https://chat.example": false, "http://chat.example": true, "http://localhost:8080": false, "http://127.0.0.1:8080": false} {
		if (WidgetForm{PublicURL: url}).insecure() != insecure {
			t.Errorf("%s: insecure is not %v", url, insecure)
		}
	}
}
