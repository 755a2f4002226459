package widget_test

import (
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/widget"
)

// TestACursorOfAnotherThread: who was away while their thread became part of another one misses nothing of that, by any transport,
// though their cursor was further; a cursor of the thread itself, or one without a name, counts as ever.
func TestACursorOfAnotherThread(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	for _, id := range []string{"c1", "c2", "c3"} {
		if a := v.post("./messages", `{"client_id":"`+id+`","content":"`+id+`"}`); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	here, other := string(v.thread().ID), string(ledger.NewID[domain.ThreadID]())
	for _, tt := range []struct {
		name, thread string
		lines        int
	}{{"this one", here, 1}, {"in capitals", strings.ToUpper(here), 1}, {"no name", "", 1}, {"another one", other, 3}, {"no thread at all", "x", 3}} {
		l := v.dial()
		l.say(map[string]any{"type": "hello", "after_seq": 2, "thread_id": tt.thread})
		l.expect("session")
		l.expect("status")
		for i := range tt.lines {
			if f := l.expect("message"); f.Seq != int64(4-tt.lines+i) {
				t.Errorf("%s, socket: %+v", tt.name, f)
			}
		}
		l.quiet()
		if a := v.get("./poll?after_seq=2&wait=0&thread=" + tt.thread); len(a.Frames) != tt.lines {
			t.Errorf("%s, poll: %s", tt.name, a.body)
		}
		s := v.listen("/events?after_seq=2&thread=" + tt.thread)
		for {
			e, ok := s.next()
			if !ok {
				t.Fatalf("%s: the stream ended", tt.name)
			}
			if e.Type == "message" {
				if e.Seq != int64(4-tt.lines) {
					t.Errorf("%s, stream: begins with %+v", tt.name, e)
				}
				break
			}
		}
	}
	l := v.dial()
	l.say(map[string]any{"type": "hello", "after_seq": 2, "thread_id": nil}) // the widget has none yet
	l.expect("session")
	l.expect("status")
	if f := l.expect("message"); f.Seq != 3 {
		t.Errorf("%+v", f)
	}
	l = v.dial()
	l.say(map[string]any{"type": "hello", "thread_id": 7})
	if f := l.expect("error"); f.Code != "bad_field" {
		t.Errorf("%+v", f)
	}
}
