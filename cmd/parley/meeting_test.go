package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// meeting is a visitor and the team, each of whom has a way to the server: the visitor's leads through the faulty proxy.
type meeting struct {
	t      *testing.T
	e      env
	s      *server
	p      *proxy
	tabs   []*tab // of the visitor; the first one is there from the start
	key    string // of the widget
	api    string // key of the team
	thread string

	mu      sync.Mutex
	written map[string][]string // by each voice; a line is its voice and a number
}

const (
	visitorsVoice = "visitor"
	secondVoice   = "visitor elsewhere"
	teamsVoice    = "team"
)

// newMeeting is one at which nobody has said anything. No agent takes part.
func newMeeting(t *testing.T) *meeting {
	t.Helper()
	m := &meeting{t: t, e: environment(t), written: map[string][]string{}}
	m.s = serve(t, m.e, "--demo")
	m.api = apiKey(t, m.e, "demo")
	var made struct{ Key string }
	if code := m.s.call(t, "POST", "/api/v1/widgets", m.api, map[string]any{
		"name": "Site", "allowed_origins": []string{"*"}, "rate": map[string]int{"messages": 1000, "window_seconds": 60}}, &made); code != 201 {
		t.Fatal(code)
	}
	m.key = made.Key
	m.p = newProxy(t, m.s.url, m.key)
	m.adopt(newTab(t, 900, 700))
	return m
}

// adopt makes a tab one of the visitor's. The browser may complain about the network there, but about nothing else.
func (m *meeting) adopt(b *tab) {
	m.tabs = append(m.tabs, b)
	m.t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.problems = slices.DeleteFunc(b.problems, func(p string) bool {
			return strings.Contains(p, "Failed to load resource") || strings.Contains(p, "WebSocket connection to")
		})
	})
}

// another opens one more tab in the same browser.
func (m *meeting) another() *tab {
	m.t.Helper()
	ctx, cancel := chromedp.NewContext(m.tabs[0].ctx)
	m.t.Cleanup(cancel)
	b := &tab{t: m.t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(900, 700)); err != nil {
		m.t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: openShadows}); err != nil {
		m.t.Fatal(err)
	}
	m.tabs = append(m.tabs, b)
	return b
}

// enter opens the site and the chat in a tab.
func (m *meeting) enter(b *tab) {
	m.t.Helper()
	b.visit(m.p.url + "/page")
	m.open(b)
}

func (m *meeting) open(b *tab) {
	m.t.Helper()
	b.wait(`w('.launcher')`)
	b.js(`w('.panel.on') || w('.launcher').click()`, nil)
	b.wait(`w('.panel.on textarea')`)
}

// begin lets the visitor enter and say the first line, which makes the thread, and the team answer.
func (m *meeting) begin() {
	m.t.Helper()
	m.enter(m.tabs[0])
	m.say(m.tabs[0])
	var threads struct{ Items []struct{ ID string } }
	eventually(m.t, "thread", func() bool {
		m.s.call(m.t, "GET", "/api/v1/threads", m.api, nil, &threads)
		return len(threads.Items) == 1
	})
	m.thread = threads.Items[0].ID
	m.reply()
	m.shown(m.tabs[0], "team 1")
}

func (m *meeting) next(voice string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := fmt.Sprintf("%s %d", voice, len(m.written[voice])+1)
	m.written[voice] = append(m.written[voice], text)
	return text
}

// say lets the visitor write a line in a tab; what becomes of it is not waited for.
func (m *meeting) say(b *tab) {
	m.t.Helper()
	voice := visitorsVoice
	if b != m.tabs[0] {
		voice = secondVoice
	}
	b.fill(`w('textarea')`, m.next(voice))
	b.enter()
}

// reply lets the team write a line and insists until the server has it.
func (m *meeting) reply() {
	m.t.Helper()
	text := m.next(teamsVoice)
	eventually(m.t, "server that takes "+text, func() bool {
		code := m.s.call(m.t, "POST", "/api/v1/threads/"+m.thread+"/messages", m.api, map[string]string{"content": text, "client_id": text}, nil)
		return code == 201 || code == 200
	})
}

// talk lets both sides write n lines in turn, and between calls what is given.
func (m *meeting) talk(n int, between func()) {
	m.t.Helper()
	for range n {
		m.say(m.tabs[0])
		m.reply()
		between()
	}
}

// ledger is what the server has, in order.
func (m *meeting) ledger() (lines []line) {
	m.t.Helper()
	var list struct{ Items []line }
	m.s.call(m.t, "GET", "/api/v1/threads/"+m.thread+"/messages?limit=100", m.api, nil, &list)
	return list.Items
}

// arrived waits until the server has everything that was written.
func (m *meeting) arrived() {
	m.t.Helper()
	n := 0
	for _, lines := range m.written {
		n += len(lines)
	}
	eventually(m.t, fmt.Sprintf("ledger of %d lines", n), func() bool { return len(m.ledger()) >= n })
}

// shown waits until a tab shows a line as sent.
func (m *meeting) shown(b *tab, text string) {
	m.t.Helper()
	b.wait(fmt.Sprintf(`ww('.rows > .row:not(.sending)').some((r) => r.querySelector('.bubble').textContent === %q)`, text))
}

// log is what a tab shows of the conversation, but for the greeting, which is no message.
func (m *meeting) log(b *tab) (lines []string) {
	m.t.Helper()
	b.js(`ww('.rows > .row, .rows > .system').filter((r) => !r.matches('.agent'))
		.map((r) => (r.querySelector('.bubble') ?? r).textContent + (r.matches('.sending') ? ' (sending)' : r.matches('.failed') ? ' (failed)' : ''))`, &lines)
	return lines
}

// agree lets everybody say a last line, so that nothing can come later, and compares what was written with what the ledger has,
// and that with what each tab shows.
func (m *meeting) agree() {
	m.t.Helper()
	for _, b := range m.tabs {
		m.say(b)
	}
	m.reply()
	m.arrived()
	for _, b := range m.tabs {
		for _, lines := range m.written {
			m.shown(b, lines[len(lines)-1])
		}
	}
	has, by := m.ledger(), map[string][]string{}
	for i, l := range has {
		if l.Seq != int64(i+1) {
			m.t.Errorf("line %d has seq %d", i+1, l.Seq)
		}
		voice := l.Content[:strings.LastIndexByte(l.Content, ' ')]
		by[voice] = append(by[voice], l.Content)
	}
	for voice, lines := range m.written {
		if !slices.Equal(by[voice], lines) {
			m.t.Errorf("of the %s the ledger has\n%q, written was\n%q", voice, by[voice], lines)
		}
	}
	want := contents(has)
	for i, b := range m.tabs {
		if got := m.log(b); !slices.Equal(got, want) {
			b.shot("disagrees")
			m.t.Errorf("tab %d shows\n%q, the ledger has\n%q", i+1, got, want)
		}
	}
}

// offline lets the browser know that it has no network.
func (m *meeting) offline() (online func()) {
	m.t.Helper()
	set := func(offline bool) {
		m.t.Helper()
		if _, err := chromedp.Call(m.tabs[0].ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{
			Offline: offline, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
			m.t.Fatal(err)
		}
	}
	set(true)
	return func() { set(false) }
}

// frozen lets the browser put the tab to sleep: none of its scripts runs.
func (m *meeting) frozen() (awake func()) {
	m.t.Helper()
	online := m.offline()
	set := func(state page.SetWebLifecycleStateState) {
		m.t.Helper()
		if _, err := chromedp.Call(m.tabs[0].ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state}); err != nil {
			m.t.Fatal(err)
		}
	}
	set(page.SetWebLifecycleStateStateFrozen)
	return func() {
		set(page.SetWebLifecycleStateStateActive)
		online()
	}
}
