package dispatch_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// slow is a way out that takes as long as the test says.
type slow struct {
	mu    sync.Mutex
	tries []ledger.Delivery
	began chan struct{}
	end   chan struct{} // closed: it has taken them
	ended chan error    // how an attempt that was stopped ended
}

func newSlow() *slow {
	return &slow{began: make(chan struct{}, 10), end: make(chan struct{}), ended: make(chan error, 10)}
}

func (s *slow) Send(ctx context.Context, d ledger.Delivery) error {
	s.mu.Lock()
	s.tries = append(s.tries, d)
	s.mu.Unlock()
	s.began <- struct{}{}
	select {
	case <-s.end:
		return nil
	case <-ctx.Done():
		s.ended <- context.Cause(ctx)
		return ctx.Err()
	}
}

func carry(t *testing.T, l *ledger.Ledger, way dispatch.Transport) {
	t.Helper()
	courier := dispatch.NewCourier(l, map[string]dispatch.Transport{"slow": way}, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = courier.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

// A delivery that takes its time stays its node's, however many others look for something to do.
func TestCourierKeepsWhatItCarries(t *testing.T) {
	t.Parallel()
	l, way := ledgertest.New(t), newSlow()
	f := ledgertest.Seed(t, l)
	if err := l.Enqueue(t.Context(), ledger.Delivery{OrgID: f.Org, ThreadID: f.Thread, Transport: "slow", Payload: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	carry(t, l, way)
	<-way.began
	carry(t, l, way)
	var first, last time.Time
	lease := func() (until time.Time) {
		if err := l.NewRaw(`SELECT lease_until FROM deliveries`).Scan(t.Context(), &until); err != nil {
			t.Fatal(err)
		}
		return until
	}
	first = lease()
	within(t, "a lease that outlives the first", func() bool { last = lease(); return time.Now().After(first.Add(3*time.Second)) && last.After(first) })
	close(way.end)
	within(t, "the end of the delivery", func() bool { return undelivered(t, l) == 0 })
	if way.mu.Lock(); len(way.tries) != 1 {
		t.Errorf("tried %d times", len(way.tries))
	}
	way.mu.Unlock()
}

// What a node had on its way when it was cut off goes on within seconds elsewhere, by somebody who knows that it may have arrived; and the
// node stops sending when it hears of that.
func TestCourierGivesUpWhatAnotherHas(t *testing.T) {
	t.Parallel()
	l, way := ledgertest.New(t), newSlow()
	f := ledgertest.Seed(t, l)
	if err := l.Enqueue(t.Context(), ledger.Delivery{OrgID: f.Org, ThreadID: f.Thread, Transport: "slow", Payload: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if ds, err := l.ClaimDeliveries(t.Context(), []string{"slow"}, 1, 1, time.Second); err != nil || len(ds) != 1 { // by a node that dies
		t.Fatalf("%v, %v", ds, err)
	}
	carry(t, l, way)
	<-way.began
	if _, err := l.NewRaw(`UPDATE deliveries SET token = token + 1`).Exec(t.Context()); err != nil { // somebody else has it
		t.Fatal(err)
	}
	select {
	case err := <-way.ended:
		if err == nil || err == context.DeadlineExceeded {
			t.Errorf("ended by %v", err)
		}
	case <-time.After(25 * time.Second): // before it would have ended by itself
		t.Error("it is still being sent")
	}
	close(way.end)
	way.mu.Lock()
	defer way.mu.Unlock()
	if !slices.ContainsFunc(way.tries[:1], func(d ledger.Delivery) bool { return d.Unsure && d.Attempts == 2 }) {
		t.Errorf("%+v", way.tries)
	}
}

// A node that cannot say that it is alive stops sending before others may begin.
func TestCourierStopsWithoutDatabase(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, cut, way := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn), newSlow()
	f := ledgertest.Seed(t, l)
	if err := l.Enqueue(t.Context(), ledger.Delivery{OrgID: f.Org, ThreadID: f.Thread, Transport: "slow", Payload: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	carry(t, cut, way)
	<-way.began
	var at time.Time
	err := l.InTx(t.Context(), func(tx *ledger.Ledger) error { // its row is locked: the sign of life does not get through
		if err := tx.NewRaw(`SELECT lease_until FROM deliveries FOR UPDATE`).Scan(t.Context(), &at); err != nil {
			return err
		}
		select {
		case err := <-way.ended:
			if left := time.Until(at); err == context.DeadlineExceeded || left <= 0 {
				t.Errorf("ended by %v, %v before its lease does", err, left)
			}
		case <-time.After(25 * time.Second):
			t.Error("it is still being sent")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	close(way.end)
}
