package widget_test

import (
	"fmt"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

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

// TestFramesInPieces sends frames in pieces, each once the reader rests again, with pings and pongs between them and within a message.
// What belongs together is put together, what comes at once is taken one after another, and between frames the reader waits where that
// costs least.
func TestFramesInPieces(t *testing.T) { // not in parallel: other tests have sockets, too
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	const text, more, final = 0x01, 0x00, 0x80
	frame := func(first byte, payload string) string { // masked with zeros
		if len(payload) < 126 {
			return string([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
		}
		return string([]byte{first, 0x80 | 126, byte(len(payload) >> 8), byte(len(payload)), 0, 0, 0, 0}) + payload
	}
	ping, pong, empty := frame(0x89, "ping"), frame(0x8a, ""), frame(final|text, "{}")
	last := frame(final|text, `{"type":"message","client_id":"c2","content":"`+strings.Repeat("x", 2000)+`"}`)
	conn := v.knock(ping + pong)
	for _, piece := range []struct {
		bytes   string
		between bool // the next one begins with a frame, and not with a rest
	}{
		{ping, true},
		{frame(final|text, `{"type":"hello","after_seq":0}`) + pong, true},
		{pong + ping[:1], false},
		{ping[1:7], false},
		{ping[7:], true},
		{frame(text, `{"type":"message","client_id":"c1",`) + ping, false}, // within a message
		{frame(more, `"content":`) + pong, false},
		{ping, false},
		{frame(final|more, `"one"}`) + pong + last[:5], false},
		{last[5:900], false},
		{last[900:] + ping, true},
		{empty + empty, true}, // as short as the library's buffer
	} {
		if _, err := conn.Write([]byte(piece.bytes)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the reader rests", func() bool {
			return running("poll.(*FD).RawRead") == 1 && running("widget.(*inlet).wait") == 1 == piece.between
		})
	}
	eventually(t, "both lines are stored", func() bool { return v.thread().LastSeq == 2 })
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	var heard strings.Builder
	for b := make([]byte, 1<<10); strings.Count(heard.String(), "\x8a\x04ping") < 6 || strings.Count(heard.String(), `"error"`) < 2; {
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("%v after %q", err, heard.String())
		}
		heard.Write(b[:n])
	}
}
