package widget

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBundlesAreUpToDate(t *testing.T) {
	t.Parallel()
	for _, b := range bundles(t, "closed") {
		committed, err := os.ReadFile(filepath.Join("dist", b.Name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(committed, b.Body) {
			t.Errorf("dist/%s is not what src makes: run go generate in static", b.Name)
		}
		if size := b.Gzipped(); size > b.Limit {
			t.Errorf("%s is %d bytes gzipped, at most %d are allowed", b.Name, size, b.Limit)
		}
	}
}

func TestMessageIsShownOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("Do you ship ferns?")
	v.shows("visitor: Do you ship ferns?")
	f.push(object{"type": "typing", "on": true, "author": object{"kind": "agent", "name": "Ivy"}})
	v.wait(`!$('.typing').hidden && $('.typing').innerText.includes('Ivy is typing')`)
	f.say("agent", "Ivy", "We do, **everywhere**.")
	v.shows("visitor: Do you ship ferns?", "agent: We do, everywhere.")
	v.wait(`$('.typing').hidden && $('.agent strong').innerText`)
	if got := f.said("message"); len(got) != 1 {
		t.Errorf("sent %d messages, want 1", len(got))
	}
	eventually(t, "read frame", func() bool { r := f.said("read"); return len(r) > 0 && r[len(r)-1]["seq"] == 2.0 })
}

func TestNothingIsDoubledOrMisordered(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.tells(f, "one")
	v.shows("visitor: one")
	two := f.say("agent", "Ivy", "two")
	f.push(two)
	f.push(two)
	f.with(func() { // four arrives before three, then both again
		three := f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content": "three"})
		four := f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content": "four"})
		for _, m := range []object{four, three, four, three, two, f.messages[0]} {
			f.spread(m)
		}
	})
	all := []string{"visitor: one", "agent: two", "agent: three", "agent: four"}
	v.shows(all...)
	f.hangUp()
	eventually(t, "second hello", func() bool { return len(f.said("hello")) == 2 })
	if after := f.said("hello")[1]["after_seq"]; after != 4.0 {
		t.Errorf("resumed after %v, want 4", after)
	}
	f.say("agent", "Ivy", "five")
	v.shows(append(all, "agent: five")...)
}

// A line that breaks between an ack and a message before it must not lose that message: the cursor stops at the gap.
func TestResumesBeforeAGap(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("one")
	v.shows("visitor: one")
	f.with(func() { f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content": "missed"}) })
	v.write("three")
	v.shows("visitor: one", "visitor: three")
	f.hangUp()
	v.shows("visitor: one", "agent: missed", "visitor: three")
	if after := f.said("hello")[1]["after_seq"]; after != 1.0 {
		t.Errorf("resumed after %v, want 1", after)
	}
}

func TestReconnectSendsUnackedOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	f.with(func() { f.loseAck = true })
	v.write("first")
	v.write("second")
	v.shows("visitor: first", "visitor: second")
	v.wait(`$$('.visitor.sent').length === 2`)
	sent := f.said("message")
	if len(sent) != 3 || sent[0]["client_id"] != sent[1]["client_id"] || sent[1]["client_id"] == sent[2]["client_id"] {
		t.Errorf("sent %v; want the first twice with one client_id, then the second", sent)
	}
	if len(f.messages) != 2 {
		t.Errorf("the thread has %d messages, want 2", len(f.messages))
	}
}

// What is not confirmed survives a reload, and is then sent with the id it had.
func TestOutboxSurvivesReload(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("hello")
	v.shows("visitor: hello")
	f.with(func() { f.deaf = true })
	v.write("unheard")
	v.shows("visitor: hello", "visitor (sending): unheard")
	eventually(t, "message", func() bool { return len(f.said("message")) == 2 })
	f.with(func() { f.deaf = false })
	v.load()
	v.open(f)
	v.shows("visitor: hello", "visitor: unheard")
	sent := f.said("message")
	if len(sent) != 3 || sent[1]["client_id"] != sent[2]["client_id"] {
		t.Errorf("sent %v; want the second twice with one client_id", sent)
	}
	var keys []string
	v.wait(`Object.keys(localStorage).every((k) => !k.includes(':out:'))`)
	v.js(`Object.keys(localStorage).sort()`, &keys)
	if len(keys) != 2 || !strings.HasPrefix(keys[0], "parley:"+key) || !strings.HasPrefix(keys[1], "parley:"+key) {
		t.Errorf("localStorage has %v", keys)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		refusal object
		want    string // state of the row at once
		again   bool   // the visitor has to press the button
	}{
		{"for good", object{"code": "daily_cap", "message": "That is all for today."}, "failed", true},
		{"for now", object{"code": "rate_limited", "message": "A little slower, please.", "retry_after_ms": 300}, "sending", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.refusals = []object{tt.refusal}
			v := visit(t, f)
			v.open(f)
			v.write("hey")
			v.wait(`$('.visitor.` + tt.want + ` .meta')?.innerText.includes('` + tt.refusal["message"].(string) + `')`)
			if tt.again {
				v.js(`$('.failed .meta button').click()`, nil)
			}
			v.shows("visitor: hey")
			sent := f.said("message")
			if len(sent) != 2 || sent[0]["client_id"] != sent[1]["client_id"] {
				t.Errorf("sent %v; want the same twice", sent)
			}
		})
	}
}

// A line that is open but carries nothing is given up within ten seconds when an ack is due.
func TestHalfDeadSocket(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	f.with(func() { f.deaf = true })
	v.write("anybody?")
	eventually(t, "second hello", func() bool {
		if len(f.said("ping")) > 0 {
			f.with(func() { f.deaf = false })
			// The pong to that ping is lost for good; only a new line helps.
		}
		return len(f.said("hello")) > 1
	})
	v.shows("visitor: anybody?")
}

func TestExpiredSessionKeepsWhatIsTyped(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("before")
	v.shows("visitor: before")
	v.do(chromedp.KeyEvent("half a thou"))
	f.with(func() {
		f.token = "expired"
		f.messages = nil
		f.thread = object{"id": nil, "last_seq": 0, "handling": "agent"}
		for l := range f.lines {
			l.frames <- object{"type": "bye", "reason": "expired", "reconnect_after_ms": 0}
			l.frames <- object{"type": "close", "code": 1008}
		}
	})
	eventually(t, "new session", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.tokens == 2 && len(f.lines) == 1 })
	v.shows()
	v.write("ght")
	v.shows("visitor: half a thought")
}

// stub is how a page calls the widget before its script is there.
const stub = `window.Parley = new Proxy({q: []}, {get: (t, k) => k in t ? t[k] : (...a) => t.q.push([k, ...a])}); window.seen = []; for (const e of ['ready', 'open', 'close', 'message', 'unread']) Parley.on(e, (d) => seen.push(e + (typeof d === 'number' ? d : ''))); Parley.open();`

var stubHash = func() string { sum := sha256.Sum256([]byte(stub)); return base64.StdEncoding.EncodeToString(sum[:]) }()

func TestAPI(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f, "<script>"+stub+"</script>")
	v.wait(`$('.panel.on')`)
	v.js(`Parley.close()`, nil)
	v.wait(`!$('.panel.on') && $('.launcher').getAttribute('aria-expanded') === 'false'`)
	eventually(t, "connection", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.lines) > 0 })
	f.say("human", "Anna", "Are you _still_ there?")
	v.wait(`$('.badge').innerText === '1' && $('.preview span')?.innerText === 'Are you still there?'`)
	v.wait(`$('.launcher').ariaLabel === 'Open chat, 1 unread'`)
	v.js(`Parley.setLocale('de')`, nil)
	v.wait(`$('.launcher').ariaLabel === 'Chat öffnen, 1 ungelesen' && $('textarea').placeholder === 'Nachricht schreiben …'`)
	v.js(`Parley.hide()`, nil)
	v.wait(`getComputedStyle($('.launcher')).display === 'none'`)
	v.js(`Parley.show()`, nil)
	v.js(`$('.glimpse').click()`, nil)
	v.wait(`$('.panel.on') && $('.preview').hidden`)
	var seen []string
	v.wait(`seen.at(-1) === 'unread0'`)
	v.js(`seen`, &seen)
	if got := strings.Join(seen, " "); got != "ready open close message unread1 open unread0" {
		t.Errorf("events: %s", got)
	}
	v.js(`Parley.shutdown()`, nil)
	v.wait(`!document.querySelector('parley-chat') && localStorage.length === 0`)
	eventually(t, "closed line", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.lines) == 0 })
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.js(`Parley.identify({user_id: 'u1', timestamp: 1, signature: 'ab'})`, nil)
	eventually(t, "session", func() bool { return len(f.said("session")) == 1 })
	id, _ := f.said("session")[0]["identity"].(object)
	if id["user_id"] != "u1" {
		t.Errorf("the session was asked for with identity %v", id)
	}
	v.wait(`localStorage.getItem('parley:` + key + `:token') === '"token-1"'`)
}

// A site says who its visitor is while the widget of a returning visitor is on its way to the server already.
func TestIdentifyWhileEntering(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	v.open(f)
	v.write("hi")
	v.shows("visitor: hi")
	slow := make(chan struct{})
	f.with(func() { f.slow = slow })
	v.load()
	eventually(t, "second session", func() bool { return len(f.said("session")) == 2 })
	v.js(`Parley.identify({user_id: 'u1', timestamp: 1, signature: 'ab'})`, nil)
	v.wait(`localStorage.length > 0`)
	close(slow)
	eventually(t, "identity", func() bool {
		s := f.said("session")
		return len(s) == 3 && s[1]["identity"] == nil && s[2]["identity"] != nil
	})
	v.open(f)
	v.shows("visitor: hi")
}

// A page pays for the loader and its config, and nothing is remembered, until the visitor does something.
func TestQuietUntilUsed(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f)
	f.with(func() {
		if got := strings.Join(f.posts, ", "); got != "GET /widget.js, GET /w/"+key+"/config" {
			t.Errorf("requests: %s", got)
		}
	})
	v.open(f)
	var n int
	v.js(`localStorage.length`, &n)
	if n != 0 {
		t.Errorf("%d keys in localStorage before the visitor wrote", n)
	}
	v.write("hi")
	v.wait(`localStorage.getItem('parley:` + key + `:token')`)
}

func TestSecondWidgetIsRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f, `<script async src="`+f.URL+`/widget.js" data-widget="`+key+`"></script>`)
	var n int
	v.js(`document.querySelectorAll('parley-chat').length`, &n)
	if n != 1 {
		t.Errorf("%d widgets, want 1", n)
	}
	eventually(t, "line on the console", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return slices.ContainsFunc(v.console, func(line string) bool { return strings.Contains(line, "already has a widget") })
	})
}

func TestRootIsClosed(t *testing.T) {
	t.Parallel()
	for _, b := range bundles(t, "closed") {
		if b.Name == "loader.js" && !bytes.Contains(b.Body, []byte(`{mode:"closed"}`)) {
			t.Error("the shadow root is not closed")
		}
	}
}
