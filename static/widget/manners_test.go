package widget

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
)

// The bell is off until the visitor wishes, is remembered once anything is, and counts only where nobody looks.
func TestBell(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f, `<script src="`+f.URL+`/ears.js"></script>`)
	v.open(f)
	look := func(state string) {
		v.js(`(Object.defineProperty(document, 'visibilityState', {value: '`+state+`', configurable: true}), document.dispatchEvent(new Event('visibilitychange')))`, nil)
	}
	v.tells(f, "hi")
	v.shows("visitor: hi")
	look("hidden")
	f.say("agent", "Ivy", "one")
	v.shows("visitor: hi", "agent: one")
	v.wait(`document.title === 'A site' && heard === 0`)
	look("visible")
	v.wait(`$$('.visitor').length`)
	v.js(`$('.head .close').click()`, nil)
	v.wait(`$$('.menu input').length === 2 && root.activeElement === $('.menu input') && $('.head .close').ariaExpanded === 'true'`)
	v.do(chromedp.KeyEvent(" "))
	v.wait(`heard === 2`) // a sample: two notes
	v.js(`$$('.menu input')[1].click()`, nil)
	v.js(`$$('.menu input')[1].dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))`, nil)
	v.wait(`!$('.menu') && $('.panel.on') && root.activeElement === $('.head .close')`)
	look("hidden")
	f.say("agent", "Ivy", "two")
	v.wait(`document.title === '(1) A site' && heard === 4`)
	v.js(`document.title = 'Another page'`, nil)
	f.say("agent", "Ivy", "three")
	v.wait(`document.title === '(2) Another page' && heard === 6`)
	look("visible")
	v.wait(`document.title === 'Another page'`)
	v.load()
	v.wait(`$('.panel')`)
	v.js(`Parley.close()`, nil)
	f.say("agent", "Ivy", "four")
	v.wait(`$('.preview:not([hidden])') && document.title === 'A site'`)
	look("hidden")
	v.wait(`document.title === '(1) A site'`)
	v.js(`Parley.shutdown()`, nil)
	v.wait(`document.title === 'A site'`)
}

// Sites that change their address, or all of their body, keep the chat as it is.
func TestPageChanges(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for i := range 40 {
		f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content": strings.Repeat("line ", i+1)})
	}
	v := visit(t, f)
	v.open(f)
	v.write("hi")
	v.wait(`$('.visitor.sent')`)
	v.do(chromedp.KeyEvent("half a thou"))
	v.js(`(history.pushState({}, '', '/next'), document.title = 'Next', $('.scroller').scrollTop = 100, window.kept = root)`, nil)
	v.wait(`$('.scroller').scrollTop === 100`)
	v.js(`new Promise(requestAnimationFrame)`, nil)
	v.js(`((next) => { next.append('Another page'); document.documentElement.replaceChild(next, document.body); })(document.createElement('body'))`, nil)
	v.wait(`root === kept && document.querySelectorAll('parley-chat').length === 1 && document.body.contains(root.host)`)
	v.wait(`$('.panel.on') && ` + asTextIn + `'half a thou' && $('.scroller').scrollTop === 100`)
	v.js(`document.body.replaceChildren('Yet another')`, nil)
	v.wait(`root === kept && document.body.contains(root.host) && $('.panel.on')`)
	v.js(`$('textarea').focus()`, nil)
	v.write("ght")
	eventually(t, "the page", func() bool {
		p := f.said("page")
		return len(p) == 1 && strings.HasSuffix(p[0]["url"].(string), "/next") && p[0]["title"] == "Next"
	})
	f.say("agent", "Ivy", "still here")
	v.wait(`$$('.row.agent .bubble').some((b) => b.innerText === 'still here')`)
	v.js(`Parley.shutdown()`, nil)
	v.wait(`!root`)
	v.js(`document.body.replaceChildren('The last')`, nil)
	v.wait(`!root && document.body.innerText === 'The last'`)
}

// worked is how much of the processor's time the page's thread has used, in ms, whatever else the machine has been doing.
func (v *tab) worked() float64 {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}); err != nil {
		v.t.Fatal(err)
	}
	got, err := chromedp.Call(v.ctx, performance.GetMetrics, cdp.Empty{})
	if err != nil {
		v.t.Fatal(err)
	}
	for _, m := range got.Metrics {
		if m.Name == "TaskDuration" {
			return m.Value * 1000
		}
	}
	v.t.Fatal("the browser does not say how much it has worked")
	return 0
}

// A page with the widget does not shift, not when it comes, nor when it is opened or written in; and opening it holds nothing up for long.
func TestNothingShifts(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f, `<script src="`+f.URL+`/ears.js"></script>`)
	v.js(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, nil)
	before := v.worked()
	v.open(f)
	v.wait(`!$('.chip').hidden`)
	v.js(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, nil)
	if ms := v.worked() - before; ms > 250 { // tasks of the whole opening together, so none of them is long
		t.Errorf("opening took %.0f ms of the processor", ms)
	} else {
		t.Logf("opening took %.0f ms of the processor", ms)
	}
	v.tells(f, "hi")
	f.say("agent", "Ivy", strings.Repeat("An answer of some length. ", 30))
	f.say("agent", "Ivy", "Another", object{"citations": []object{{"title": "Shipping", "url": "https://a.example/", "snippet": "Two days"}}})
	v.wait(`$('.sources')`)
	v.js(`Parley.close()`, nil)
	f.say("agent", "Ivy", "And another")
	v.wait(`$('.preview:not([hidden])')`)
	v.js(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, nil)
	var shifts []float64
	v.js(`shifts`, &shifts)
	if len(shifts) > 0 {
		t.Errorf("the page shifted by %v", shifts)
	}
	v.js(`document.body.prepend(Object.assign(document.createElement('div'), {textContent: 'An advertisement'}))`, nil) // a page that does shift is seen to
	v.wait(`shifts.length > 0`)
	var tasks []float64
	v.js(`tasks`, &tasks)
	t.Logf("tasks over 50 ms by the clock, which a busy machine makes long: %v", tasks)
}

// The on-screen keyboard of a phone covers part of the page without resizing it: the panel keeps to what is left.
func TestKeyboardOnScreen(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := newTab(t, f, `<script src="`+f.URL+`/keyboard.js"></script>`)
	v.size(390, 844)
	v.load()
	v.open(f)
	v.js(`keyboard(400, 60)`, nil)
	v.wait(`(({top, bottom}) => top >= 60 && bottom <= 460)($('.composer').getBoundingClientRect()) && $('.panel').getBoundingClientRect().top === 60`)
	v.js(`keyboard(844, 0)`, nil)
	v.wait(`$('.panel').offsetHeight === 844`)
}
