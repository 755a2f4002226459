package relay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// attending counts the goroutines that tell somebody what happens.
func attending() int {
	all := make([]byte, 1<<22)
	return strings.Count(string(all[:runtime.Stack(all, true)]), "relay.(*attendance).run(")
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// TestWhoAttendsCostsNoGoroutine lets many attend a silent thread, tells them something and lets them go.
func TestWhoAttendsCostsNoGoroutine(t *testing.T) { // not in parallel: other tests attend, too
	l := ledgertest.New(t)
	r := relay.New(l, slog.New(slog.DiscardHandler)) // it does not run: no sweep heals what is missed
	f := ledgertest.Seed(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stood, told, hinted, done atomic.Int64
	const many = 50
	for range many {
		r.Attend(ctx, f.Org, f.Thread, 0, func(u relay.Update) bool {
			switch {
			case u.Message != nil:
				told.Add(1)
			case u.Standing != nil:
				stood.Add(1)
			case u.Hint != nil:
				hinted.Add(1)
			}
			return true
		}, func(err error) {
			if err != nil {
				t.Error(err)
			}
			done.Add(1)
		})
	}
	silent := func() bool { return attending() == 0 }
	eventually(t, "all know where the thread stands", func() bool { return stood.Load() == many })
	eventually(t, "nobody waits", silent)
	for i := range 5 {
		if err := say(l, f, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all have heard", func() bool { return told.Load() == int64(many*(i+1)) })
		eventually(t, "nobody waits", silent)
	}
	r.Hint(relay.Hint{Thread: f.Thread, Kind: relay.Typing, On: true})
	eventually(t, "all have the hint", func() bool { return hinted.Load() == many })
	eventually(t, "nobody waits", silent)
	for i := range 3000 { // the next one comes just when those who have heard the last are about to leave
		r.Hint(relay.Hint{Thread: f.Thread, Kind: relay.Typing, On: true})
		for end := time.Now().Add(20 * time.Second); hinted.Load() < int64(many*(i+2)); runtime.Gosched() {
			if time.Now().After(end) {
				t.Fatalf("hint %d is not heard by all", i)
			}
		}
	}
	cancel()
	eventually(t, "all are done", func() bool { return done.Load() == many })
	if err := say(l, f, "nobody hears"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody is there", silent)
	if n := told.Load(); n != many*5 {
		t.Errorf("%d were told", n)
	}
}

// TestWhoAttendsLearnsTheEnd of what cannot be read, and of what it wants no more of.
func TestWhoAttendsLearnsTheEnd(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	r := start(t, l)
	f, other := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	ends := make(chan error, 2)
	r.Attend(t.Context(), other.Org, f.Thread, 0, func(relay.Update) bool { t.Error("another organisation's"); return true }, func(err error) { ends <- err })
	if err := <-ends; domain.KindOf(err) != domain.NotFound {
		t.Errorf("another organisation's thread: %v", err)
	}
	if err := say(l, f, "1"); err != nil {
		t.Fatal(err)
	}
	r.Attend(t.Context(), f.Org, f.Thread, 0, func(relay.Update) bool { return false }, func(err error) { ends <- errors.Join(err, errEnd) })
	if err := <-ends; !errors.Is(err, errEnd) || domain.KindOf(err) == domain.NotFound {
		t.Error(err)
	}
	_ = say(l, f, "2")
	select {
	case err := <-ends:
		t.Errorf("ended twice: %v", err)
	default:
	}
}

var errEnd = errors.New("the end")
