package main

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDelivery lets a visitor in a real browser and the team write to each other over networks that fail in every way we know.
// Whatever happens, the visitor ends up with exactly what the ledger has: nothing lost, nothing doubled, all in order.
func TestDelivery(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		run  func(*meeting)
	}{
		{"everything but POST blocked for 20 s", onlyPostsPass},
		{"connections cut every second", cutEverySecond},
		{"half-dead socket", func(m *meeting) { halfDeadSocket(m, m.p.deaden) }},
		{"acks lost on a socket", func(m *meeting) { halfDeadSocket(m, m.p.deafen) }},
		{"acks lost beside a stream", func(m *meeting) { linesSwallowed(m, gag) }},
		{"sockets refused and stream buffered", streamBuffered},
		{"sockets forbidden", func(m *meeting) { socketsRefused(m, forbid) }},
		{"sockets reset", func(m *meeting) { socketsRefused(m, reset) }},
		{"sockets swallowed", func(m *meeting) { socketsRefused(m, hang) }},
		{"everything forbidden for a while", func(m *meeting) { outage(m, forbid) }},
		{"everything swallowed for a while", func(m *meeting) { outage(m, hang) }},
		{"lines swallowed beside a stream", func(m *meeting) { linesSwallowed(m, hang) }},
		{"server restarted", serverRestarted},
		{"two tabs", twoTabs},
		{"tab asleep", func(m *meeting) { asleep(m, m.frozen) }},
		{"network asleep", func(m *meeting) { asleep(m, m.offline) }},
		{"reload while offline", reloadOffline},
	}
	// They wait, and hardly work: all at once, rather than as many as there are processors.
	var all sync.WaitGroup
	for _, tt := range tests {
		all.Go(func() {
			t.Run(tt.name, func(t *testing.T) {
				m := newMeeting(t)
				tt.run(m)
				m.agree()
			})
		})
	}
	all.Wait()
}

// socketsRefused: the stream takes over.
func socketsRefused(m *meeting, how treatment) {
	m.p.treat(noSockets(how))
	m.begin()
	m.talk(5, func() {})
	m.through("events")
	if m.p.seen(how, "socket") == 0 {
		m.t.Error("no socket was tried")
	}
}

// through fails unless the visitor was reached this way and no better one.
func (m *meeting) through(way string) {
	m.t.Helper()
	tiers := []string{"socket", "events", "poll"}
	for i, name := range tiers[:slices.Index(tiers, way)+1] {
		if used := m.p.seen(pass, name) > 0; used != (name == way) {
			m.t.Errorf("way %d, %s: used is %t, want %s to be used", i+1, name, used, way)
		}
	}
}

// streamBuffered: a network that lets only complete answers through. The poll takes over.
func streamBuffered(m *meeting) {
	m.p.treat(func(r *http.Request) treatment {
		if path.Base(r.URL.Path) == "events" {
			return hoard
		}
		return noSockets(forbid)(r)
	})
	m.begin()
	m.talk(5, func() {})
	m.through("poll")
	if m.p.seen(hoard, "events") == 0 {
		m.t.Error("no stream was tried")
	}
}

// cutEverySecond: whatever connections there are, they do not live long, while both sides write twenty lines.
func cutEverySecond(m *meeting) {
	m.begin()
	stop := m.p.cutEvery(time.Second)
	m.talk(20, func() {
		if len(m.written[teamsVoice])%2 == 0 {
			cuts := m.p.cuts.Load()
			eventually(m.t, "next cut", func() bool { return m.p.cuts.Load() > cuts })
		}
	})
	stop()
	m.t.Logf("%d cuts, %d sockets, %d streams", m.p.cuts.Load(), m.p.seen(pass, "socket"), m.p.seen(pass, "events"))
}

// onlyPostsPass: no way down to the visitor is left for 20 s.
func onlyPostsPass(m *meeting) {
	const blocked = 20 * time.Second
	m.begin()
	m.p.treat(noneBut("POST"))
	m.p.cut()
	over := time.After(blocked)
	m.talk(5, func() {
		tried := m.p.tried()
		eventually(m.t, "next try of the widget", func() bool { return m.p.tried() > tried })
	})
	<-over
	for _, text := range m.written[teamsVoice][1:] {
		if slices.Contains(m.log(m.tabs[0]), text) {
			m.t.Errorf("%s came through a network that is blocked", text)
		}
	}
	m.p.treat(allPass)
}

// outage: nothing of the server is to be had, and what looks like an answer is not the server's.
func outage(m *meeting, how treatment) {
	m.begin()
	m.p.treat(func(*http.Request) treatment { return how })
	m.p.cut()
	m.talk(3, func() {})
	eventually(m.t, "try to get a session", func() bool { return m.p.seen(how, "session") > 0 })
	m.p.treat(allPass)
}

// linesSwallowed: the stream is fine, but a line sent beside it is never answered, whether or not the server has it.
func linesSwallowed(m *meeting, how treatment) {
	m.p.treat(noSockets(forbid))
	m.begin()
	m.p.treat(func(r *http.Request) treatment {
		if r.Method == "POST" && path.Base(r.URL.Path) == "messages" {
			return how
		}
		return noSockets(forbid)(r)
	})
	m.talk(3, func() {})
	eventually(m.t, "line that is swallowed", func() bool { return m.p.seen(how, "messages") > 0 })
	m.p.treat(noSockets(forbid))
	m.arrived()
	m.through("events")
}

// serverRestarted: the same address, the same database, nobody there for a while.
func serverRestarted(m *meeting) {
	m.begin()
	m.talk(3, func() {})
	at, err := url.Parse(m.s.url)
	if err != nil {
		m.t.Fatal(err)
	}
	var team sync.WaitGroup
	team.Go(func() {
		for range 6 {
			m.reply()
		}
	})
	code := make(chan int, 1)
	go func() { code <- m.s.stop() }()
	for range 3 {
		m.say(m.tabs[0])
	}
	if got := <-code; got != 0 {
		m.t.Errorf("exit code %d: %s", got, m.s.out)
	}
	for range 3 {
		m.say(m.tabs[0])
	}
	m.e["PARLEY_ADDR"] = at.Host
	serve(m.t, m.e, "--demo")
	team.Wait()
	m.talk(3, func() {})
}

// twoTabs of one visitor, who writes in both at once.
func twoTabs(m *meeting) {
	m.begin()
	second := m.another()
	m.enter(second)
	m.shown(second, "team 1")
	m.talk(5, func() { m.say(second) })
}

// asleep: connections die without a word and no new one can be made, while the team writes. Then the network is back.
func asleep(m *meeting, sleep func() (wake func())) {
	// At once means: without waiting. Whatever else would bring the line up again waits far longer here, and the machine may be busy.
	const soon, later = 5000, 20000 // ms
	b := m.tabs[0]
	m.begin()
	b.js(fmt.Sprintf(`(() => { const wait = setTimeout; Math.random = () => 0.999;
		window.setTimeout = (f, ms, ...args) => wait(f, ms > 400 ? ms + %d : ms, ...args);
		window.caughtUp = (since) => { window.caughtUpAfter = performance.now() - since; window.setTimeout = wait } })()`, later), nil)
	b.js(`addEventListener('online', () => { const since = performance.now(), look = () =>
		ww('.row').some((r) => r.textContent.includes('team 11')) ? caughtUp(since) : setTimeout(look, 10); look() })`, nil)
	m.p.deaden()
	m.p.treat(func(*http.Request) treatment { return reset })
	wake := sleep()
	for range 10 {
		m.reply()
	}
	m.p.treat(allPass)
	wake()
	b.wait(`window.caughtUpAfter >= 0`) // 0 where the news came before word of the network
	var ms float64
	b.js(`window.caughtUpAfter`, &ms)
	m.t.Logf("caught up %.0f ms after it was online", ms)
	if ms > soon {
		m.t.Errorf("caught up %.0f ms after it was online, want %d at most", ms, soon)
	}
}

// reloadOffline: lines written without a network outlive the page, twice: once where even the widget's config is out of reach.
func reloadOffline(m *meeting) {
	b := m.tabs[0]
	m.begin()
	blocked := func(r *http.Request) treatment {
		if strings.HasPrefix(r.URL.Path, "/w/") {
			return reset
		}
		return pass
	}
	m.p.treat(blocked)
	m.p.cut()
	m.say(b)
	b.visit(m.p.url + "/page")
	eventually(m.t, "loader that asks for its config", func() bool { return m.p.seen(reset, "config") > 0 })
	m.p.treat(func(r *http.Request) treatment {
		if path.Base(r.URL.Path) == "config" {
			return pass
		}
		return blocked(r)
	})
	m.open(b)
	m.say(b)
	b.wait(`ww('.row.sending').map((r) => r.querySelector('.bubble').textContent).join() === 'visitor 2,visitor 3'`)
	m.reply()
	b.visit(m.p.url + "/page")
	m.open(b)
	b.wait(`ww('.row.sending').map((r) => r.querySelector('.bubble').textContent).join() === 'visitor 2,visitor 3'`)
	m.p.treat(allPass)
	m.shown(b, "visitor 3")
}

// halfDeadSocket: it looks open, and nothing comes through, or nothing comes back. The widget must notice that a line is not
// acknowledged, and must not say it twice to a server that has it.
func halfDeadSocket(m *meeting, die func()) {
	const noticed = 10 * time.Second
	m.begin()
	die()
	tried := m.p.tried()
	m.reply()
	m.say(m.tabs[0])
	begun := time.Now()
	eventually(m.t, "next try of the widget", func() bool { return m.p.tried() > tried })
	took := time.Since(begun)
	m.t.Logf("noticed after %v", took)
	if took > noticed {
		m.t.Errorf("noticed after %v, want %v at most", took, noticed)
	}
	m.shown(m.tabs[0], "visitor 2")
	m.t.Logf("through after %v", time.Since(begun))
}
