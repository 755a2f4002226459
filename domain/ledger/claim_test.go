package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// A node that is told to stop while it claims gets what the database gives out all the same, to hand it back: nobody else would, until the
// lease is over.
func TestClaimIsNotLeftAlone(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	if _, err := l.Append(t.Context(), line(f, "1", "hello")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	type taken struct {
		claims []ledger.Claim
		err    error
	}
	got := make(chan taken, 1)
	err := l.InTx(t.Context(), func(tx *ledger.Ledger) error {
		if _, err := tx.NewRaw(`SELECT pg_advisory_xact_lock(7266211)`).Exec(t.Context()); err != nil { // somebody else claims
			return err
		}
		go func() {
			claims, err := l.Claim(ctx, 1, time.Minute, ledger.Pauses{})
			got <- taken{claims, err}
		}()
		for waits := false; !waits; {
			err := l.NewRaw(`SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(t.Context(), &waits)
			if err != nil {
				return err
			}
		}
		stop()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if g := <-got; g.err != nil || len(g.claims) != 1 {
		t.Errorf("claims %v, %v; want the one that was due", g.claims, g.err)
	}
	if again, err := l.Claim(t.Context(), 1, time.Minute, ledger.Pauses{}); err != nil || len(again) != 0 {
		t.Errorf("claimed again: %v, %v", again, err)
	}
}
