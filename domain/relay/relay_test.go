package relay_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "8") // each is many round trips to Postgres; the command line may ask for more
	ledgertest.Main(m)
}

func start(t *testing.T, l *ledger.Ledger, set ...func(*relay.Relay)) *relay.Relay {
	t.Helper()
	r := relay.New(l, slog.New(slog.DiscardHandler))
	for _, f := range set {
		f(r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return r
}

func say(l *ledger.Ledger, f ledgertest.Fixture, clientID string) error {
	_, err := l.Append(context.Background(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread,
		Change: ledger.Line{SessionID: f.Session.ID, ClientID: clientID, Content: clientID}})
	return err
}

// until follows a thread from a cursor until stop says so, within a deadline, and returns the seqs of the messages seen.
func until(t *testing.T, r *relay.Relay, f ledgertest.Fixture, after int64, stop func(relay.Update) bool) (seqs []int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for u, err := range r.Follow(ctx, f.Org, f.Thread, after) {
		if err != nil {
			t.Error(err)
			return seqs
		}
		if u.Message != nil {
			seqs = append(seqs, u.Message.Seq)
		}
		if stop(u) {
			return seqs
		}
	}
	t.Errorf("never got there; saw %v", seqs)
	return seqs
}

func reached(seq int64) func(relay.Update) bool {
	return func(u relay.Update) bool { return u.Message != nil && u.Message.Seq == seq }
}

func wantSeqs(t *testing.T, got []int64, from, to int64) {
	t.Helper()
	if int64(len(got)) != to-from+1 {
		t.Fatalf("saw %d messages, want %d..%d: %v", len(got), from, to, got)
	}
	for i, seq := range got {
		if seq != from+int64(i) {
			t.Fatalf("message %d has seq %d, want %d", i, seq, from+int64(i))
		}
	}
}

func TestFollowJoinsHistoryAndLiveFromAllNodes(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	ledgers := []*ledger.Ledger{ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)}
	f := ledgertest.Seed(t, ledgers[0])
	relays := []*relay.Relay{start(t, ledgers[0]), start(t, ledgers[1])}
	const lines, readers = 300, 20
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := range lines / 2 {
				if err := say(ledgers[w], f, fmt.Sprint(w, "-", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range readers {
		wg.Go(func() {
			after := int64(i * 7)
			wantSeqs(t, until(t, relays[i%2], f, after, reached(lines)), after+1, lines)
		})
	}
	wg.Wait()
}

// Hints alone are enough: on this node each line is told, although nobody ever sweeps.
func TestNoFollowerWaitsForTheSweepWhenHintsAreHeard(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	r := start(t, l, func(r *relay.Relay) { r.SweepEvery(time.Hour) })
	const lines, readers = 100, 30
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() { wantSeqs(t, until(t, r, f, 0, reached(lines)), 1, lines) })
	}
	for i := range lines {
		if err := say(l, f, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

func TestLostHintsAreFoundByTheSweep(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, mute := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn) // mute has no relay: it announces nothing
	f := ledgertest.Seed(t, l)
	r := start(t, l)
	go func() {
		for i := range 3 {
			_ = say(mute, f, fmt.Sprint(i))
		}
	}()
	wantSeqs(t, until(t, r, f, 0, reached(3)), 1, 3)
}

func TestFollowSurvivesLostConnections(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	r := start(t, l)
	const lines = 60
	go func() {
		for i := 0; i < lines; {
			if i%20 == 10 {
				_, _ = l.NewRaw(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Exec(context.Background())
			}
			if say(l, f, fmt.Sprint(i)) == nil { // what was not acknowledged is sent again, as a widget does
				i++
			}
		}
	}()
	wantSeqs(t, until(t, r, f, 0, reached(lines)), 1, lines)
}

func TestFollowTellsWhoHasTheThread(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	near, far := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, near)
	r := start(t, near)
	start(t, far)
	var seen []string
	until(t, r, f, 0, func(u relay.Update) bool {
		if u.Standing == nil {
			return false
		}
		seen = append(seen, fmt.Sprint(u.Standing.Handling, ":", u.Standing.AssigneeName))
		if len(seen) == 1 {
			_, err := far.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TakeOver{User: f.User}})
			if err != nil {
				t.Error(err)
			}
		}
		return len(seen) == 2
	})
	if fmt.Sprint(seen) != "[agent: human:Anna]" {
		t.Fatal(seen)
	}
}

// The pieces of an answer come before it, however soon it follows: after it they are worth nothing.
func TestHintsComeBeforeWhatTheyAnnounce(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	r := start(t, l)
	const lines = 30
	next, heard := 1, 0
	until(t, r, f, 0, func(u relay.Update) bool {
		switch {
		case u.Hint != nil:
			heard++
		case u.Message != nil && heard < int(u.Message.Seq):
			t.Errorf("line %d came after %d hints", u.Message.Seq, heard)
		}
		if u.Hint == nil && next <= lines { // the follower is away meanwhile, so that both are there when it is back
			r.Hint(relay.Hint{Thread: f.Thread, Kind: relay.Delta, Content: "piece"})
			if err := say(l, f, fmt.Sprint(next)); err != nil {
				t.Fatal(err)
			}
			next++
		}
		return u.Message != nil && u.Message.Seq == lines
	})
}

func TestHintsReachOtherNodes(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	near, far := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, near)
	r, other := start(t, near), start(t, far)
	hint := relay.Hint{Thread: f.Thread, Kind: relay.Delta, TurnID: "t", Index: 3, Content: "Hel", Author: domain.Author{Kind: domain.AuthorAgent, Name: "Ada"}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { // until one is heard: hints may be lost, above all before the other node listens
		for ctx.Err() == nil {
			other.Hint(hint)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	until(t, r, f, 0, func(u relay.Update) bool {
		if u.Hint != nil && *u.Hint != hint {
			t.Errorf("heard %+v", *u.Hint)
		}
		return u.Hint != nil
	})
}

func TestFollowEndsForAThreadThatIsNotThere(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, other := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	r := start(t, l)
	for _, err := range r.Follow(t.Context(), other.Org, f.Thread, 0) {
		if domain.KindOf(err) != domain.NotFound {
			t.Fatalf("following another organisation's thread gave %v", err)
		}
		return
	}
	t.Fatal("no error")
}

func TestFollowOrganisation(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, far := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, l)
	r := start(t, l)
	start(t, far)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	next := make(chan int)
	go func() {
		for i := range next {
			_ = say(far, f, fmt.Sprint(i))
		}
	}()
	heard := 0
	go func() { next <- 0 }()
	for range r.FollowOrganisation(ctx, f.Org) {
		if heard++; heard == 3 {
			close(next)
			return
		}
		next <- heard
	}
	t.Fatalf("heard %d of 3", heard)
}
