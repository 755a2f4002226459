package widget

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	atTop    = `self.document.activeElement`
	inFrame  = `document.querySelector('iframe').contentWindow`
	arrived  = "Your message has arrived. A person will answer you here."
	asTextIn = `$('textarea').value === `
)

// Where no agent answers and nobody is there, nothing promises an answer right away, and the first message is told so, once.
func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.config["available"], f.config["agent_name"] = false, ""
	v := visit(t, f)
	v.open(f)
	v.wait(`$('.status.off')?.innerText === 'We will answer here as soon as we can' && $('.row .name').innerText === 'Our team'`)
	v.write("one")
	v.shows("visitor: one")
	v.wait(`$$('.note').length === 1 && $('.note')?.innerText === '` + arrived + `'`)
	v.write("two")
	v.shows("visitor: one", "visitor: two")
	f.push(object{"type": "status", "handling": "waiting", "available": false})
	v.wait(`$('.status.waiting')?.innerText.startsWith('Nobody is here right now')`)
	v.wait(`$$('.note').length === 1`)
	f.push(object{"type": "status", "handling": "human", "available": true, "assignee": object{"name": "Anna"}})
	v.wait(`$$('.note').length === 2 && $$('.note')[1]?.innerText === 'Anna joined the conversation'`)
	f.push(object{"type": "status", "handling": "agent", "available": false})
	v.wait(`$('.status.off')?.innerText === 'We will answer here as soon as we can'`)
}

// The status overrules what the config said before.
func TestAvailabilityFollowsTheStatus(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.config["available"] = false
	v := visit(t, f)
	v.open(f)
	f.push(object{"type": "status", "handling": "agent", "available": true})
	v.wait(`$('.status.agent')?.innerText === 'Assistant answers right away'`)
	v.tells(f, "hi")
	v.shows("visitor: hi")
	f.say("agent", "Ivy", "Hello")
	v.shows("visitor: hi", "agent: Hello")
	v.wait(`!$('.note')`)
}

func TestAgentHasItsNameFromTheStart(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.config["agent_name"] = "Ada"
	v := visit(t, f)
	v.open(f)
	v.wait(`$('.status').innerText === 'Ada answers right away' && $('.row .name').innerText === 'Ada'`)
	f.push(object{"type": "status", "handling": "agent", "available": true})
	v.tells(f, "hi")
	v.shows("visitor: hi")
	f.say("agent", "Ivy", "Hello")
	v.wait(`$('.status')?.innerText === 'Ivy answers right away'`)
}

// The panel is never drawn in one language and then in another; without its texts the chat speaks English.
func TestLanguage(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, locale, url, launcher, write string }{
		{"German", "de-AT", "/assets/widget/de.js", "Chat öffnen", "Nachricht schreiben …"},
		{"lost", "de", "/assets/widget/lost.js", "Open chat", "Write a message…"},
		{"none", "fr", "/assets/widget/de.js", "Open chat", "Write a message…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.config["locale_urls"] = object{"de": tt.url}
			f.config["appearance"].(object)["locale"] = tt.locale
			texts := make(chan struct{})
			f.slowTexts = texts
			v := visit(t, f)
			v.js(`(window.drawn = [], new MutationObserver(() => drawn.push($('textarea')?.placeholder)).observe(root, {childList: true, subtree: true}))`, nil)
			v.js(`Parley.open()`, nil)
			v.wait(`performance.getEntriesByType('resource').some((r) => r.name.endsWith('chat.js'))`)
			close(texts)
			v.wait(`$('.panel.on') && $('.launcher').getAttribute('aria-busy') === null`)
			v.js(`Parley.close()`, nil)
			v.wait(`$('.launcher').ariaLabel === '` + tt.launcher + `'`)
			var drawn []string
			v.js(`[...new Set(drawn.filter(Boolean))]`, &drawn)
			if len(drawn) != 1 || drawn[0] != tt.write {
				t.Errorf("the composer said %q, want %q alone", drawn, tt.write)
			}
			if n := f.count("GET /assets/widget/de.js"); (n == 1) != (tt.name == "German") {
				t.Errorf("%d requests for the German texts", n)
			}
		})
	}
}

// Words not yet sent and an open panel last from page to page, within a tab, once something has been written.
func TestTabRemembers(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.wait(`sessionStorage.length === 0 && localStorage.length === 0`)
	v.do(chromedp.KeyEvent("half a thou"))
	v.wait(asTextIn + `'half a thou'`)
	v.load()
	v.wait(`$('.panel.on') && ` + asTextIn + `'half a thou' && !root.activeElement && ` + atTop + ` === document.body`)
	v.js(`$('textarea').focus()`, nil)
	v.write("ght")
	v.shows("visitor: half a thought")
	v.load()
	v.wait(`$('.panel.on') && ` + asTextIn + `'' && !root.activeElement`)
	v.shows("visitor: half a thought")
	v.js(`$('.launcher').click()`, nil)
	v.wait(`!$('.panel.on') && sessionStorage.length === 0`)
	v.load()
	v.wait(`$('.panel')`) // a returning visitor's chat is loaded, not opened
	v.wait(`!$('.panel.on')`)
	v.open(f)
	v.do(chromedp.KeyEvent("secret"))
	v.wait(`sessionStorage.length === 2`)
	v.js(`Parley.shutdown()`, nil)
	v.wait(`sessionStorage.length === 0 && localStorage.length === 0`)
}

// A widget that a frame's page opens leaves the focus in the page around it.
func TestFrameDoesNotTakeTheFocus(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := newTab(t, f)
	v.do(chromedp.Navigate(v.site + "/frame"))
	v.wait(inFrame + `.document.querySelector('parley-chat')`)
	v.js(`document.querySelector('#outer').focus()`, nil)
	v.js(inFrame+`.Parley.open()`, nil)
	v.wait(inFrame + `.document.querySelector('parley-chat').shadowRoot.querySelector('.panel.on')`)
	v.wait(`document.activeElement.id === 'outer' && !` + inFrame + `.document.querySelector('parley-chat').shadowRoot.activeElement`)
}

// A panel is no page: it adds no landmark to the site's. And the focus does not get lost with the stars.
func TestLandmarksAndRating(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("hi")
	v.shows("visitor: hi")
	v.wait(`!$('header, footer, main, nav, aside, [role=banner], [role=contentinfo]')`)
	f.push(object{"type": "status", "handling": "closed"})
	v.wait(`$('.stars')`)
	v.js(`($$('.stars input')[4].focus(), $$('.stars input')[4].click())`, nil)
	v.wait(`!$('.rest').hidden`)
	v.js(`($('.rest button').focus(), $('.rest button').click())`, nil)
	v.wait(`!$('.stars') && root.activeElement === $('textarea')`)
}

// Whoever pasted the script into a page that the widget does not allow is told what to look at, once.
func TestRefusedOrigin(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.with(func() { f.foreign = true })
	v := newTab(t, f)
	v.do(chromedp.Navigate(v.site))
	eventually(t, "second request", func() bool { return f.count("GET /w/"+key+"/config") > 1 })
	told := 0
	v.mu.Lock()
	for _, line := range v.console {
		if strings.Contains(line, v.site+" may not be among the widget's allowed origins") {
			told++
		}
	}
	v.mu.Unlock()
	if told != 1 {
		t.Errorf("told %d times, want once: %q", told, v.console)
	}
	f.with(func() { f.foreign = false })
	v.wait(`$('.launcher')`)
}

func TestAsk(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.js(`Parley.open({ask: 'Do you ship?'})`, nil)
	v.wait(`$('.panel.on') && root.activeElement === $('textarea') && !$('.send').disabled && ` + asTextIn + `'Do you ship?'`)
	v.js(`Parley.open({ask: 'Do you repair?'})`, nil)
	v.wait(asTextIn + `'Do you repair?'`)
	v.wait(`sessionStorage.length === 0`) // these are not the visitor's words
	v.do(enter)
	v.shows("visitor: Do you repair?")
	v.do(chromedp.KeyEvent("My own"))
	v.wait(asTextIn + `'My own'`)
	v.js(`Parley.open({ask: 'Do you ship?'})`, nil)
	v.wait(asTextIn + `'My own'`)
	if n := len(f.said("message")); n != 1 {
		t.Errorf("%d messages were sent, want only what the visitor sent", n)
	}
}

// The demo's page asks as any page can.
func TestDemoQuestion(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f, `<aside class="ask"><button>Do you ship?</button></aside><script defer src="`+f.URL+`/demo.js"></script>`)
	v.js(`document.querySelector('.ask button').click()`, nil)
	v.wait(`$('.panel.on') && ` + asTextIn + `'Do you ship?' && root.activeElement === $('textarea')`)
}

// Who presses the launcher while the chat is on its way wants it opened, however often.
func TestImpatientPress(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.js(`($('.launcher').click(), $('.launcher').click())`, nil)
	v.wait(`$('.panel.on') && root.activeElement === $('textarea')`)
	v.js(`$('.launcher').click()`, nil)
	v.wait(`!$('.panel.on')`)
}

// A hint of typing ends with the message of whoever typed, and with every change of who answers.
func TestTypingEnds(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("hi")
	v.shows("visitor: hi")
	typing := func() {
		f.push(object{"type": "typing", "on": true, "author": object{"kind": "human", "name": "Anna"}})
		v.wait(`!$('.typing').hidden`)
	}
	typing()
	f.say("agent", "Ivy", "Hello")
	v.shows("visitor: hi", "agent: Hello")
	v.wait(`!$('.typing').hidden`)
	f.say("human", "Anna", "Hello too")
	v.shows("visitor: hi", "agent: Hello", "human: Hello too")
	v.wait(`$('.typing').hidden`)
	typing()
	f.push(object{"type": "status", "handling": "agent", "available": true})
	v.wait(`$('.typing').hidden`)
}
