package widget

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Where a network lets no socket through, the chat goes on over a stream, and where no stream, over polling.
func TestFailover(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		noStream bool
		path     string
	}{
		{"to the stream", false, "/events"},
		{"to polling", true, "/poll"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.noSocket, f.noStream = true, tt.noStream
			v := visit(t, f)
			v.js(`$('.launcher').click()`, nil)
			v.wait(`$('.panel.on')`)
			v.tells(f, "one")
			v.shows("visitor: one")
			f.say("agent", "Ivy", "two")
			v.shows("visitor: one", "agent: two")
			f.with(func() { f.refusals = []object{{"code": "rate_limited", "message": "Slower"}} })
			v.write("three")
			v.wait(`$('.sending .meta')?.innerText === 'Slower'`)
			v.shows("visitor: one", "agent: two", "visitor: three")
			if f.count("GET /w/"+key+tt.path) == 0 || len(f.messages) != 3 {
				t.Errorf("%d requests to %s, %d messages", f.count("GET /w/"+key+tt.path), tt.path, len(f.messages))
			}
		})
	}
}

// Once sockets get through again, the chat goes back to them, quietly: nothing is lost, doubled or shown.
func TestClimbsBackToSockets(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.noSocket = true
	v := visit(t, f, `<script src="`+f.URL+`/hurry.js"></script>`)
	v.open(f)
	v.write("one")
	v.shows("visitor: one")
	f.with(func() { f.noSocket = false })
	eventually(t, "socket alone", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.lines) == 1 && slices.ContainsFunc(f.heard, func(o object) bool { return o["type"] == "hello" })
	})
	v.tells(f, "two")
	f.say("agent", "Ivy", "three")
	v.shows("visitor: one", "visitor: two", "agent: three")
	if n := f.count("POST /w/" + key + "/messages"); n != 1 {
		t.Errorf("%d messages were posted, want only the first", n)
	}
}

// A server that is away is not a network that forbids sockets: the chat waits and comes back on a socket.
func TestOutageKeepsSockets(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	f.with(func() { f.noSocket, f.sessionFails = true, 2 })
	f.hangUp()
	eventually(t, "two refused sessions", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.sessionFails == 0 })
	f.with(func() { f.noSocket = false })
	v.write("back?")
	v.shows("visitor: back?")
	if n := f.count("GET /w/" + key + "/events"); n != 0 {
		t.Errorf("%d streams, want none", n)
	}
}

func TestCloseCodes(t *testing.T) {
	t.Parallel()
	for _, code := range []int{1001, 1008, 4408, 4429} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			v := visit(t, f)
			v.open(f)
			f.push(object{"type": "close", "code": code})
			eventually(t, "second hello", func() bool { return len(f.said("hello")) == 2 })
			if again := len(f.said("session")) == 2; again != (code == 1008) {
				t.Errorf("asked for the session again: %v", again)
			}
			v.write("still here")
			v.shows("visitor: still here")
		})
	}
}

func TestDisabledWidget(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	f.with(func() { f.denied = "widget_disabled" })
	f.push(object{"type": "bye", "reason": "disabled"})
	v.wait(`!$('.gone').hidden && $('.composer').hidden`)

	f = newFake(t)
	f.denied = "origin_not_allowed"
	v = visit(t, f)
	v.js(`$('.launcher').click()`, nil)
	v.wait(`$('.gone')?.innerText === 'This chat is closed to you.'`)
}

func TestHandling(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.wait(`$('.status').innerText === 'Assistant answers right away' && !$('.chip').hidden`)
	v.tells(f, "hi")
	f.say("agent", "Ivy", "Hello")
	v.wait(`$('.status').innerText === 'Ivy answers right away'`)
	v.js(`$('.chip').click()`, nil)
	v.wait(`$('.chip').hidden`)
	eventually(t, "handoff frame", func() bool { return len(f.said("handoff")) == 1 })
	steps := []struct {
		frame        object
		status, note string
	}{
		{object{"handling": "waiting", "available": true}, "Waiting for a person", "Somebody from our team will be with you soon"},
		{object{"handling": "human", "assignee": object{"name": "Anna"}}, "Anna is here", "Anna joined the conversation"},
		{object{"handling": "human", "assignee": object{"name": "Ben"}}, "Ben is here", "Ben joined the conversation"},
		{object{"handling": "agent"}, "Ivy answers right away", "Ivy is answering again"},
		{object{"handling": "waiting", "available": false}, "Nobody is here right now. We will answer as soon as we can.", "Somebody from our team will be with you soon"},
		{object{"handling": "closed"}, "Conversation closed", "This conversation was closed. Write to open it again."},
	}
	for i, s := range steps {
		s.frame["type"] = "status"
		f.push(s.frame)
		v.wait(fmt.Sprintf(`$$('.note').length === %d && $$('.note').at(-1).innerText === %q && $('.status').innerText === %q`, i+1, s.note, s.status))
		v.wait(fmt.Sprintf(`$('.chip').hidden === %v`, s.frame["handling"] != "agent"))
	}
	v.wait(`$('.stars')`)
	v.js(`$$('.stars input')[3].click()`, nil)
	v.wait(`!$('.rest').hidden`)
	v.js(`($('.rest textarea').value = ' Quick ', $('.rest button').click())`, nil)
	eventually(t, "rating", func() bool {
		r := f.said("rating")
		return len(r) == 1 && r[0]["score"] == 4.0 && r[0]["comment"] == "Quick"
	})
	f.push(object{"type": "read", "seq": 1})
	v.wait(`$('.visitor .meta').innerText.includes('Seen')`)
}

func TestDelta(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("hi")
	for i, part := range []string{"Good ", "**mor", "ning**"} {
		f.push(object{"type": "delta", "turn_id": "t1", "index": i, "content": part})
	}
	v.shows("visitor: hi", "agent: Good morning")
	f.push(object{"type": "delta", "turn_id": "t1", "index": 4, "content": " lost one before"})
	f.say("agent", "Ivy", "Good evening")
	v.shows("visitor: hi", "agent: Good evening")
}

// Long histories come a page at a time, as the reader scrolls up.
func TestHistory(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for i := range 120 {
		f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content": fmt.Sprintf("line %d", i+1)})
	}
	v := visit(t, f)
	v.open(f)
	v.wait(`$$('.row.agent:not(.typing)').length === 50 && $('.scroller').scrollTop > 0`)
	v.js(`$('.scroller').scrollTop = 0`, nil)
	v.wait(`$$('.row.agent:not(.typing)').length === 100`)
	v.wait(`$('.scroller').scrollTop > 0`)
	f.say("agent", "Ivy", "line 121")
	v.wait(`!$('.jump').hidden`)
	v.js(`$('.scroller').scrollTop = 0`, nil)
	v.wait(`$$('.row.agent:not(.typing)').length === 122`) // with the greeting
	var got []string
	v.js(`$$('.row.agent:not(.typing) .bubble').slice(1).map((b) => b.innerText)`, &got)
	for i, line := range got {
		if want := fmt.Sprintf("line %d", i+1); line != want {
			t.Fatalf("row %d is %q, want %q", i, line, want)
		}
	}
	v.js(`$('.jump').click()`, nil)
	v.wait(`$('.jump').hidden`)
}

// An answer that does not fit is shown from its start; what fits is shown to its end.
func TestLongAnswerIsReadFromItsTop(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.tells(f, "tell me everything")
	f.say("agent", "Ivy", strings.Repeat("A paragraph.\n\n", 60))
	v.wait(`$$('.agent .bubble')[1] && Math.abs($$('.agent.row')[1].getBoundingClientRect().top - $('.scroller').getBoundingClientRect().top) < 20`)
	v.tells(f, "thanks")
	f.say("agent", "Ivy", "You are welcome.")
	v.wait(`$('.scroller').scrollHeight - $('.scroller').scrollTop - $('.scroller').clientHeight < 2`)
}

func TestComposer(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.wait(`$('.send').disabled`)
	v.do(chromedp.KeyEvent("one"), chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierShift)), chromedp.KeyEvent("two"))
	v.wait(`$('textarea').value === 'one\ntwo' && !$('.send').disabled`)
	v.js(`$('textarea').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))`, nil)
	v.wait(`$('textarea').value === 'one\ntwo'`)
	v.do(enter)
	v.shows("visitor: one\ntwo")
	v.wait(`$('textarea').value === ''`)
	if on := f.said("typing"); len(on) == 0 || on[0]["on"] != true {
		t.Errorf("typing frames: %v", on)
	}
	set := func(n int) {
		v.js(fmt.Sprintf(`($('textarea').value = '😀'.repeat(%d), $('textarea').dispatchEvent(new Event('input')))`, n), nil)
	}
	set(395) // characters, not the units JavaScript counts; the fake allows 400
	v.wait(`$('.count').innerText === '5 characters left' && !$('.send').disabled`)
	set(402)
	v.wait(`$('.count').innerText === '2 characters too many' && $('.send').disabled`)
}

func TestKeyboardAndFocus(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	active := func(sel string) string { return `$('` + sel + `').getRootNode().activeElement === $('` + sel + `')` }
	v.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab))
	v.wait(active(".launcher"))
	v.do(enter, chromedp.KeyEvent(" "))
	v.wait(`$('.panel.on')`)
	v.wait(active("textarea"))
	v.wait(`$('.launcher').getAttribute('aria-expanded') === 'true' && $('.panel').getAttribute('role') === 'dialog' && $('.panel').ariaLabel === 'Fern & Co.' && $('h2').innerText === 'Fern & Co.'`)
	v.js(`(window.keys = 0, document.addEventListener('keydown', () => keys++))`, nil)
	v.do(chromedp.KeyEvent("x"), chromedp.KeyEvent(kb.Escape))
	v.wait(`!$('.panel.on')`)
	v.wait(active(".launcher"))
	var keys int
	v.js(`keys`, &keys)
	if keys != 0 {
		t.Errorf("the page saw %d keys that were typed into the chat", keys)
	}
	v.size(390, 700)
	v.js(`$('.launcher').click()`, nil)
	v.wait(`$('.panel.on')`)
	v.wait(`(({left, top, width, height}) => [left, top, width, height].join() === '0,0,390,700')($('.panel').getBoundingClientRect())`)
	for range 12 {
		v.do(chromedp.KeyEvent(kb.Tab))
		v.wait(`document.activeElement.id !== 'before'`) // the panel covers the page
	}
}

func TestPreChat(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	look := f.config["appearance"].(object)
	look["contact_info_mode"], look["collect"] = "required", []string{"name", "email"}
	v := visit(t, f)
	v.open(f)
	v.wait(`$('.card') && $('.composer').hidden`)
	v.wait(`root.activeElement === $('.card input')`)
	v.do(chromedp.KeyEvent("Mo"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("mo@example.org"), enter, chromedp.KeyEvent("\r"))
	v.wait(`!$('.card') && !$('.composer').hidden && root.activeElement === $('textarea')`)
	fields, _ := f.said("form")[0]["fields"].(object)
	if fields["name"] != "Mo" || fields["email"] != "mo@example.org" {
		t.Errorf("the form sent %v", fields)
	}
	v.write("hi")
	v.shows("visitor: hi")
}

// Whatever colour an owner chooses, what is written in it and on it can be read.
func TestContrast(t *testing.T) {
	t.Parallel()
	fills := []string{"#fff200", "#ffffff", "#14663f", "#000000", "#7f7f7f"}
	for i := range 2 * len(fills) {
		fill, dark := fills[i/2], i%2 == 1
		f := newFake(t)
		f.config["appearance"].(object)["primary_color"] = fill
		v := newTab(t, f)
		if dark {
			v.dark()
		}
		v.load()
		v.open(f)
		v.tells(f, "see https://a.example")
		f.say("agent", "Ivy", "[link](https://a.example)")
		v.wait(`$('.agent a') && $('.visitor.sent')`)
		v.js(`$$('.row').forEach((r) => r.getAnimations().forEach((a) => a.finish()))`, nil)
		for _, sel := range []string{".launcher", ".visitor .bubble", ".visitor a", ".agent .bubble a", ".status", ".meta"} {
			var ratio float64
			v.js(`((el) => {
				const rgb = (c) => c.match(/[\d.]+/g).map(Number);
				const lum = (c) => { const [r, g, b] = rgb(c).map((x) => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
				let back = el; while (getComputedStyle(back).backgroundColor === 'rgba(0, 0, 0, 0)') back = back.parentElement;
				const [x, y] = [lum(getComputedStyle(el).color), lum(getComputedStyle(back).backgroundColor)];
				return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
			})($$('`+sel+`').at(-1))`, &ratio)
			if ratio < 4.5 {
				t.Errorf("%s with %s, dark %v: contrast %.2f", sel, fill, dark, ratio)
			}
		}
	}
}

// A site without a right to the widget sees nothing, and no error that is not its own.
func TestRefusedConfig(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.with(func() { f.config = nil })
	v := newTab(t, f)
	v.do(chromedp.Navigate(v.site))
	eventually(t, "request", func() bool { return f.count("GET /w/"+key+"/config") > 0 })
	v.wait(`window.Parley && !document.querySelector('parley-chat')`)
	v.js(`Parley.open()`, nil)
}
