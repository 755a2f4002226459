package widget_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// fill lets a person of the team write n lines to the visitor, as fast as they are taken.
func (w *world) fill(v *visitor, n int) {
	w.t.Helper()
	thread := v.thread().ID
	w.together(n, func(i int) error {
		_, _, err := w.chat.Reply(context.WithoutCancel(w.t.Context()), w.User, thread, fmt.Sprint("fill-", v.thread().LastSeq, "-", i), fmt.Sprint("line ", i))
		return err
	})
}

// together does n things, 16 at a time.
func (w *world) together(n int, f func(i int) error) {
	w.t.Helper()
	var all sync.WaitGroup
	places := make(chan struct{}, 16)
	for i := range n {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if err := f(i); err != nil {
				w.t.Error(err)
			}
		})
	}
	all.Wait()
}

// G3: connections that are cut again and again, on two nodes, get each line exactly once and in order while somebody writes.
func TestResumeHasNoGapAndNoRepeat(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	first := ledgertest.Open(t, dsn)
	fixture := ledgertest.Seed(t, first)
	nodes := []*world{node(t, first, fixture, widget.Limits{}), node(t, ledgertest.Open(t, dsn), fixture, widget.Limits{})}
	v := nodes[0].visitor()
	const lines = 200
	thread := v.thread().ID
	var all sync.WaitGroup
	all.Go(func() {
		for i := range lines {
			if _, _, err := nodes[i%2].chat.Reply(t.Context(), fixture.User, thread, fmt.Sprint("r", i), fmt.Sprint("line ", i)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for reader := range 2 {
		all.Go(func() { readInPieces(t, nodes, v, reader, lines) })
	}
	all.Go(func() { // the same over streams
		seq := int64(0)
		for seq < lines {
			on := &visitor{nodes[rand.N(2)], v.token, v.id}
			s := on.listen(fmt.Sprint("/events?after_seq=", seq))
			for left := 1 + rand.N(40); left > 0 && seq < lines; left-- {
				e, ok := s.next()
				if !ok {
					break
				}
				if e.Type == "message" {
					if seq++; e.Seq != seq {
						t.Errorf("stream: got %d, want %d", e.Seq, seq)
						return
					}
				}
			}
			s.stop()
		}
	})
	all.Go(func() { // and by asking
		for seq := int64(0); seq < lines; {
			on := &visitor{nodes[rand.N(2)], v.token, v.id}
			for _, f := range on.get(fmt.Sprint("./poll?wait=5&after_seq=", seq)).Frames {
				if f.Type == "message" {
					if seq++; f.Seq != seq {
						t.Errorf("poll: got %d, want %d", f.Seq, seq)
						return
					}
				}
			}
		}
	})
	all.Wait()
}

func readInPieces(t *testing.T, nodes []*world, v *visitor, reader int, lines int64) {
	for seq := int64(0); seq < lines; {
		l := (&visitor{nodes[rand.N(2)], v.token, v.id}).dial()
		l.say(map[string]any{"type": "hello", "after_seq": seq})
		for left := 1 + rand.N(40); left > 0 && seq < lines; left-- {
			f, err := l.read()
			if err != nil {
				break
			}
			if f.Type == "message" {
				if seq++; f.Seq != seq {
					t.Errorf("reader %d: got %d, want %d", reader, f.Seq, seq)
					return
				}
			}
		}
		_ = l.conn.CloseNow()
	}
}

// G2: however often and by whatever way a line is sent, there is one message, and every answer names it.
func TestSentTwiceIsStoredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	one, two := v.hello(0), v.hello(0)
	for round := range 20 {
		id := fmt.Sprint("c", round)
		answers := make(chan frame, 3)
		var all sync.WaitGroup
		for _, l := range []*line{one, two} {
			all.Go(func() {
				l.write(id, "the same")
				for f := l.next(); ; f = l.next() {
					if f.Type == "ack" {
						answers <- f
						return
					}
				}
			})
		}
		all.Go(func() {
			a := v.post("./messages", `{"client_id":"`+id+`","content":"the same"}`)
			if (a.status == http.StatusCreated) == a.Duplicate {
				t.Errorf("%d %s", a.status, a.body)
			}
			answers <- a.frame
		})
		all.Wait()
		close(answers)
		var fresh int
		var named string
		for f := range answers {
			if !f.Duplicate {
				fresh++
			}
			if named == "" {
				named = f.ID
			}
			if f.ID != named || f.Seq != int64(round+1) || f.ClientID != id {
				t.Fatalf("round %d: %+v, another said %s", round, f, named)
			}
		}
		if fresh != 1 {
			t.Fatalf("round %d: %d were the first", round, fresh)
		}
	}
	if got := v.get("./messages?limit=100"); got.LastSeq != 20 || len(got.Messages) != 20 {
		t.Errorf("%d lines: %s", got.LastSeq, got.body)
	}
}

// Lines of one connection are stored and acknowledged in the order in which they were sent, and what follows a line never
// overtakes its ack: with acks and messages together each seq comes once and in order.
func TestAcksAndMessagesAreInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{Frames: 10_000})
	v := w.visitor()
	one, two := v.hello(0), v.hello(0)
	const each = 100
	thread := v.thread().ID
	var all sync.WaitGroup
	for name, l := range map[string]*line{"one": one, "two": two} {
		all.Go(func() {
			for i := range each {
				l.write(fmt.Sprint(name, i), fmt.Sprint(name, " ", i))
			}
		})
		all.Go(func() {
			acks := 0
			for seq := int64(1); seq <= 3*each; {
				f := l.next()
				switch {
				case f.Type == "ack" && f.ClientID == fmt.Sprint(name, acks) && !f.Duplicate:
					acks++
				case f.Type == "message" && !strings.HasPrefix(f.Content, name):
				case f.Type == "status", f.Type == "read", f.Type == "typing":
					continue
				default:
					t.Errorf("%s: unasked %+v", name, f)
					return
				}
				if f.Seq != seq {
					t.Errorf("%s: got %d, want %d", name, f.Seq, seq)
					return
				}
				seq++
			}
			if acks != each {
				t.Errorf("%s: %d acks", name, acks)
			}
		})
	}
	all.Go(func() {
		for i := range each {
			if _, _, err := w.chat.Reply(t.Context(), w.User, thread, fmt.Sprint("r", i), "reply"); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
}

// A line said again by somebody who has come back is acknowledged as a duplicate, and is part of the history like any other.
func TestSaidAgainWhileHistoryIsTold(t *testing.T) {
	t.Parallel()
	v := newWorld(t, widget.Limits{}).visitor()
	const lines = 50
	for i := range lines {
		v.post("./messages", fmt.Sprintf(`{"client_id":"c%d","content":"%d"}`, i+1, i))
	}
	for _, again := range []string{"c1", "c25", "c50"} {
		l := v.dial()
		l.say(map[string]any{"type": "hello", "after_seq": 0})
		l.write(again, "again")
		l.write("fresh for "+again, "new")
		seq, duplicates, fresh := int64(0), 0, 0
		for duplicates+fresh < 2 || seq < lines {
			f := l.next()
			switch {
			case f.Type == "ack" && f.Duplicate && f.ClientID == again && fmt.Sprint("c", f.Seq) == again:
				duplicates++
			case f.Type == "ack" && !f.Duplicate:
				fresh++
				fallthrough
			case f.Type == "message":
				if seq++; f.Seq != seq {
					t.Fatalf("%s again: got %d, want %d", again, f.Seq, seq)
				}
			}
		}
		l.quiet()
	}
}
