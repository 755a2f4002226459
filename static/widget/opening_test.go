package widget

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// stopwatch notes what the panel looks like when it is opened, what is on the screen in the frame after that, how many rows are drawn
// at a time, how many formats are made, and the tasks of more than 50 ms. The browser's own preparations for its first format, which no page can cut
// into pieces, are over before.
const stopwatch = `new Intl.DateTimeFormat('en', {timeStyle: 'short'}); window.seen = {tasks: [], slices: [], formats: 0};
Intl.DateTimeFormat = new Proxy(Intl.DateTimeFormat, {construct: (Format, args) => (seen.formats++, new Format(...args))});
new PerformanceObserver((l) => l.getEntries().forEach((e) => seen.tasks.push(e.duration))).observe({type: 'longtask'});
window.Parley = [['on', 'open', () => {
	const root = document.querySelector('parley-chat').shadowRoot, rows = () => root.querySelectorAll('.rows > *').length;
	const panel = () => ({on: !!root.querySelector('.panel.on'), rows: rows(), focus: root.activeElement?.localName});
	seen.opened = panel();
	requestAnimationFrame(() => (seen.painted = panel()));
	new MutationObserver((all) => seen.slices.push(all.flatMap((m) => [...m.addedNodes]).length)).observe(root.querySelector('.rows'), {childList: true});
}]];`

// opening is what the stopwatch has seen.
type opening struct {
	Opened, Painted struct {
		On    bool
		Rows  int
		Focus string
	}
	Slices  []int
	Formats int
	Tasks   []float64
}

// Opening the chat never holds the page up for more than 50 ms, with or without a history: the panel is on the screen, with the focus in it,
// before the log is drawn, and the log is drawn some rows at a time. A busy machine makes tasks long that are not, so the best of several pages
// counts, and no other test of the package runs beside this one.
func TestOpeningHoldsNothingUp(t *testing.T) {
	for _, c := range []struct{ messages, rows int }{{0, 1}, {200, 51}} { // the greeting; a page of history and its day
		t.Run(fmt.Sprint(c.messages), func(t *testing.T) {
			var seen []opening
			for len(seen) < 5 || len(seen) < 30 && !swift(seen) {
				f := newFake(t)
				for range c.messages {
					f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content_type": "markdown", "content": strings.Repeat("Yes: **two days**, see [shipping](https://a.example/). ", 4) + "\n\n- one\n- two `code`"})
				}
				v := visit(t, f, `<script src="`+f.URL+`/stopwatch.js"></script>`)
				v.wait(`$('.launcher').offsetWidth && document.readyState === 'complete'`)
				v.js(`new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0, seen.tasks.length = 0)))`, nil) // those of the page itself
				v.do(chromedp.MouseClickXY(1252, 752))
				v.wait(fmt.Sprintf(`$$('.rows > *').length === %d && !$('.scroller').ariaBusy && !$('.chip').hidden`, c.rows))
				v.js(`new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`, nil)
				var o opening
				v.js(`seen`, &o)
				t.Logf("%+v", o)
				seen = append(seen, o)
				for _, n := range o.Slices {
					if n > 16 {
						t.Errorf("%d rows were drawn at once", n)
					}
				}
				if c.messages == 0 && o.Formats > 0 {
					t.Error("the chat made a format for times, which takes 20 to 50 ms, before there was a time to show")
				}
				if !o.Opened.On || o.Opened.Focus != "textarea" || o.Opened.Rows > 0 {
					t.Errorf("opened as %+v, want the panel shown, the composer with the focus, and no row yet", o.Opened)
				}
			}
			if !swift(seen) {
				t.Errorf("not one of %d pages opened the chat without a task over 50 ms, and with the panel painted before its log", len(seen))
			}
		})
	}
}

// swift reports whether one of them is as all should be.
func swift(seen []opening) bool {
	for _, o := range seen {
		if len(o.Tasks) == 0 && o.Painted.On && o.Painted.Rows == 0 {
			return true
		}
	}
	return false
}

// Older messages come above what one reads without moving it, however many pieces they come in.
func TestOlderMessagesMoveNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for i := range 120 {
		f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content": strings.Repeat("line ", i%40+1)})
	}
	v := visit(t, f)
	v.js(`Parley.identify({user_id: 'u1', timestamp: 1, signature: 'ab'})`, nil) // somebody known has a history
	v.open(f)
	v.wait(`$$('.row.agent').length === 50 && !$('.scroller').ariaBusy && $('.scroller').scrollTop > 1000`)
	var rising int
	v.js(`$('.rows').getAnimations({subtree: true}).length`, &rising)
	if rising > 0 {
		t.Errorf("%d rows of the history rise as if they were news", rising)
	}
	v.wait(`!$('.panel').getAnimations().length`) // the panel itself has come to rest
	v.js(`new Promise((done) => { $('.scroller').scrollTop = 90; requestAnimationFrame(() => {
		const at = () => Math.round($$('.row.agent').at(-49).getBoundingClientRect().top);
		window.places = new Set(); (function look() { places.add(at()); requestAnimationFrame(look); })(); done(); }); })`, nil)
	v.wait(`$$('.row.agent').length === 100 && !$('.scroller').ariaBusy`)
	v.js(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, nil)
	var places []int
	v.js(`[...places]`, &places)
	if len(places) != 1 {
		t.Errorf("the line that was read stood at %v", places)
	}
}

// The log stays at its end while it grows, even when the browser tells late of a scroll to where the end was before.
func TestLogStaysAtItsEnd(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.wait(`$('.row.agent')`)
	v.js(`new MutationObserver(() => $('.scroller').dispatchEvent(new Event('scroll'))).observe($('.rows'), {childList: true})`, nil)
	for range 4 {
		f.say("agent", "Ivy", strings.Repeat("A line.\n\n", 9))
	}
	v.wait(`$$('.row.agent').length === 5 && $('.scroller').scrollTop > 500 && $('.scroller').scrollHeight - $('.scroller').scrollTop - $('.scroller').clientHeight < 2`)
	v.js(`$('.scroller').scrollTop -= 300`, nil)
	v.js(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`, nil)
	f.say("agent", "Ivy", "One more")
	v.wait(`!$('.jump').hidden && $('.scroller').scrollHeight - $('.scroller').scrollTop - $('.scroller').clientHeight > 250`)
}

// What is typed while the chat still comes stays, and Escape calls it off.
func TestKeysWhileOpening(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.config["appearance"].(object)["locale"] = "de"
	texts := make(chan struct{})
	f.slowTexts = texts // the chat waits for them
	v := visit(t, f)
	v.js(`$('.launcher').focus()`, nil)
	v.do(chromedp.KeyEvent(" "))
	v.wait(`$('.launcher').ariaBusy === 'true'`)
	v.js(`$('.launcher').dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))`, nil)
	close(texts)
	v.wait(`!$('.launcher').ariaBusy && $('.panel')`)
	v.js(`new Promise((done) => setTimeout(done))`, nil)
	v.wait(`!$('.panel.on') && $('.launcher').ariaExpanded === 'false'`)
	v.js(`Parley.on('open', () => document.execCommand('insertText', false, 'Hal'))`, nil) // a key that comes at once
	v.do(chromedp.KeyEvent(" "))
	v.wait(`$$('.row').length === 2`) // the greeting, and the one of who is typing
	v.do(chromedp.KeyEvent("lo"))
	v.wait(asTextIn + `'Hallo'`)
	v.js(`Parley.on('open', () => $('.panel').dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true})))`, nil)
	v.js(`Parley.close()`, nil)
	v.wait(`!$('.panel.on')`)
	v.js(`Parley.open()`, nil)
	v.wait(`!$('.panel.on') && root.activeElement === $('.launcher')`)
}
