package widget_test

import (
	"fmt"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/handlers/widget"
)

// running counts the goroutines in whose stack a function is.
func running(function string) int {
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
	return strings.Count(stacks.String(), function+"(")
}

// lines reads messages with the seqs from first to last, in order and each once.
func (l *line) lines(first, last int64) {
	l.t.Helper()
	for seq := first; seq <= last; {
		f := l.next()
		if f.Type != "message" {
			continue
		}
		if f.Seq != seq {
			l.t.Fatalf("got line %d, want %d", f.Seq, seq)
		}
		seq++
	}
}

// TestIdleSocketHasOnlyItsReader lets sockets fall asleep again and again, and tells each time all that is said.
func TestIdleSocketHasOnlyItsReader(t *testing.T) { // not in parallel: other tests have sockets, too
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	ls := []*line{v.hello(0), v.hello(0), v.hello(0)}
	asleep := func() bool {
		return running("widget.(*socket).read") == len(ls) && running("widget.(*rounds).walk") == 1 && // one for all
			running("widget.(*socket).write")+running("widget.(*feed)")+running("relay.(*attendance).run") == 0
	}
	said := int64(0)
	for n := range 8 {
		eventually(t, "all sleep", asleep)
		many := []int{1, 1, 2, 200}[n%4] // more than a queue holds
		w.fill(v, many)
		for _, l := range ls {
			l.lines(said+1, said+int64(many))
		}
		said += int64(many)
	}
	eventually(t, "all sleep", asleep)
	for _, l := range ls {
		_ = l.conn.Close(websocket.StatusNormalClosure, "")
	}
	eventually(t, "nobody walks", func() bool { return running("widget.(*rounds).walk") == 0 })
}

// TestHelloInTheMidst says hello again and again while a history is being told that is too long for what lies between: nothing of the one
// before is told after the session that answers the next, which begins at its own cursor.
func TestHelloInTheMidst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	const history, hellos = 400, 12
	thread, long := v.thread().ID, strings.Repeat("x", 4000)
	w.together(history, func(i int) error {
		_, _, err := w.chat.Reply(t.Context(), w.User, thread, fmt.Sprint("r", i), long)
		return err
	})
	l := v.dialNarrow()
	for i := range hellos {
		l.send(websocket.MessageText, fmt.Appendf(nil, `{"type":"hello","after_seq":%d}`, 10*i))
	}
	l.expect("session")
	for i := range hellos {
		seq := int64(10 * i)
		for f := l.next(); ; f = l.next() {
			if f.Type == "session" {
				break
			}
			if f.Type != "message" {
				continue
			}
			if seq++; f.Seq != seq {
				t.Fatalf("hello %d: got line %d, want %d", i, f.Seq, seq)
			}
			if i == hellos-1 && seq == history {
				return
			}
		}
	}
}
