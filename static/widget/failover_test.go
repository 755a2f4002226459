package widget

import (
	"fmt"
	"strings"
	"testing"
)

// A network that lets the socket open and says nothing, or ends it at once, is one without sockets.
func TestSocketsThatComeToNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fault  func(*fake)
		hellos int // sockets that said hello before they were given up
	}{
		{"silent", func(f *fake) { f.silent = true }, 1},
		{"short-lived", func(f *fake) { f.cutAfter = true }, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			tt.fault(f)
			v := visit(t, f)
			v.js(`Parley.open()`, nil)
			eventually(t, "a stream", func() bool { return f.count("GET /w/"+key+"/events") == 1 })
			if n := len(f.said("hello")); n != tt.hellos {
				t.Errorf("%d sockets before the stream, want %d", n, tt.hellos)
			}
			v.tells(f, "one")
			v.shows("visitor: one")
		})
	}
}

// Whatever is written while nothing gets through waits, a reload included, and is sent in order, once, when something does.
func TestWrittenOffline(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.sessionFails, f.noSocket = 1<<20, true // not even a first session
	v := visit(t, f, `<script src="`+f.URL+`/hasty.js"></script>`)
	v.js(`Parley.open()`, nil)
	v.wait(`$('.panel.on')`)
	for _, line := range []string{"one", "two", "three"} {
		v.write(line)
	}
	waiting := []string{"visitor (sending): one", "visitor (sending): two", "visitor (sending): three"}
	v.shows(waiting...)
	v.wait(`!$('.banner').hidden`)
	v.js(`Parley.close()`, nil)
	v.load()
	v.wait(`$('.panel') && !$('.panel.on')`) // it comes by itself: there is something to send
	v.js(`Parley.open()`, nil)
	v.shows(waiting...)
	f.with(func() { f.sessionFails, f.noSocket = 0, false })
	v.shows("visitor: one", "visitor: two", "visitor: three")
	f.mu.Lock()
	defer f.mu.Unlock()
	var stored []string
	for _, m := range f.messages {
		stored = append(stored, m["content"].(string))
	}
	if got := strings.Join(stored, " "); got != "one two three" {
		t.Errorf("the server has %q", got)
	}
}

// The browser says that it is online again, or the page is looked at: nobody waits for a timer then.
func TestBackAtOnce(t *testing.T) {
	t.Parallel()
	for _, event := range []string{`dispatchEvent(new Event('online'))`, `document.dispatchEvent(new Event('visibilitychange'))`} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			v := visit(t, f, `<script src="`+f.URL+`/patient.js"></script>`)
			v.open(f)
			v.write("hi")
			v.wait(`$('.visitor.sent')`)
			v.js(`window.held = 0`, nil) // from here on, the page knows of the end
			f.hangUp()
			eventually(t, "no line", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.lines) == 0 })
			v.wait(`!$('.banner').hidden || held > 0`) // the next try is never, as far as timers go
			f.with(func() { f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content": "missed"}) })
			v.js(event, nil)
			v.shows("visitor: hi", "agent: missed")
		})
	}
}

// A laptop that slept has a socket that looks open and is dead. It does not wait for a pong that never comes.
func TestWakesFromSleep(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	v := visit(t, f, `<script src="`+f.URL+`/patient.js"></script>`)
	v.open(f)
	v.write("hi")
	v.shows("visitor: hi")
	f.with(func() {
		f.deaf = true // the old line stays open, hears nothing and says nothing
		clear(f.lines)
		f.append(object{"author": object{"kind": "agent", "name": "Ivy"}, "content": "missed"})
	})
	v.js(`(asleep = 3600e3, document.dispatchEvent(new Event('visibilitychange')))`, nil)
	v.shows("visitor: hi", "agent: missed")
	eventually(t, "one line", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.lines) == 1 })
	if hellos := f.said("hello"); fmt.Sprint(hellos[len(hellos)-1]["after_seq"]) != "1" {
		t.Errorf("resumed after %v, want 1", hellos)
	}
	f.with(func() { f.deaf = false })
	v.js(`$('textarea').focus()`, nil)
	v.tells(f, "still here")
	v.shows("visitor: hi", "agent: missed", "visitor: still here")
}
