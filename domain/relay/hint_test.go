package relay

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
)

func TestOutboxFitsItsNotifications(t *testing.T) {
	o := newOutbox()
	due := time.Now().Add(time.Hour)
	const threads = 500
	for i := range threads * 3 {
		id := domain.ThreadID(fmt.Sprintf("0193e8a0-0000-7000-8000-%012d", i%threads))
		o.grown(growth{Org: "0193e8a0-0000-7000-8000-000000000000", Thread: id, Seq: int64(i)})
	}
	for range hintLimit + 10 {
		o.hint(Hint{Thread: "0193e8a0-0000-7000-8000-000000000000", Kind: Delta, Content: strings.Repeat("<é>", 200)})
	}
	o.hint(Hint{Kind: Delta, Content: strings.Repeat("x", 9000)}) // too long for any notification: dropped
	o.workDue(due.Add(time.Second))
	o.workDue(due)
	growths, hints, dues := map[domain.ThreadID]int64{}, 0, 0
	for _, p := range o.take("node") {
		if len(p) >= 8000 {
			t.Fatalf("a payload of %d bytes", len(p))
		}
		var e envelope
		if err := json.Unmarshal([]byte(p), &e); err != nil {
			t.Fatal(err)
		}
		for _, g := range e.Grown {
			growths[g.Thread] = g.Seq
		}
		hints += len(e.Hints)
		if e.Due != 0 {
			dues++
			if d := time.Duration(e.Due) * time.Millisecond; d > time.Hour || d < 59*time.Minute {
				t.Errorf("due %d", e.Due)
			}
		}
	}
	if len(growths) != threads || hints != hintLimit || dues != 1 {
		t.Fatalf("%d growths, %d hints, %d dues", len(growths), hints, dues)
	}
	for id, seq := range growths {
		if seq < threads*2 {
			t.Fatalf("thread %s merged to %d, not to its highest", id, seq)
		}
	}
	if left := o.take("node"); len(left) != 0 {
		t.Fatalf("%d payloads left", len(left))
	}
}

// G8: a follower who takes no hints delays nobody, and is still woken for messages.
func TestHintsDelayNothing(t *testing.T) {
	h := newHub()
	f, leave := h.follow("thread", nil)
	defer leave()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 10 * hintQueue {
			h.hint(Hint{Thread: "thread", Kind: Delta, Index: i})
		}
		h.grown(growth{Thread: "thread", Seq: 1})
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("hints that nobody takes hold up the hub")
	}
	select {
	case <-f.wake:
	default:
		t.Error("no wake-up after many hints")
	}
}

// Turns wait for who writes, and the team's pens are looked after: whoever listens last takes nothing from the others.
func TestAllWhoListenHearHints(t *testing.T) {
	t.Parallel()
	r := &Relay{hub: newHub(), out: newOutbox()}
	heard := ""
	r.OnHint(func(h Hint) { heard += "first " + h.Content + " " })
	r.OnHint(func(h Hint) { heard += "second " + h.Content })
	if r.Hint(Hint{Kind: Delta, Content: "x"}); heard != "first x second x" {
		t.Errorf("%q", heard)
	}
}
