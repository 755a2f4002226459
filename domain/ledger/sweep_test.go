package ledger_test

import (
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// A turn whose worker died after the thread had changed hands is found by the next sweep, and one from long ago by the first sweep of a
// program that starts. A turn that still counts is left alone, however long it takes.
func TestSweptTurnsAreThoseThatNobodyFinishes(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, ctx := ledgertest.Open(t, dsn), t.Context()
	if err := l.SweepTurns(ctx); err != nil { // the first, of a database where nothing has happened yet
		t.Fatal(err)
	}
	begin := func(age time.Duration, takenOver bool) domain.TurnID {
		t.Helper()
		f := ledgertest.Seed(t, l)
		mustAppend(t, l, line(f, "1", "hello"))
		claims, err := l.Claim(ctx, 1, time.Hour, ledger.Pauses{})
		if err != nil || len(claims) != 1 {
			t.Fatalf("claims: %v, %v", claims, err)
		}
		if takenOver {
			mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TakeOver{User: f.User}})
		}
		ledgertest.Set(t, l, "turns", claims[0].Turn, "started_at", time.Now().Add(-age))
		return claims[0].Turn
	}
	for _, tc := range []struct {
		name      string
		age       time.Duration
		takenOver bool
		swept     bool // by a sweep after the first
		in        bool // by the first
	}{
		{"just taken over", time.Minute, true, false, false},
		{"taken over", 30 * time.Minute, true, true, true},
		{"still running", 30 * time.Minute, false, false, false},
		{"taken over long ago", 72 * time.Hour, true, false, true},
	} {
		turn := begin(tc.age, tc.takenOver)
		lost := func() bool {
			t.Helper()
			var status string
			if err := l.NewRaw(`SELECT status FROM turns WHERE id = ?`, turn).Scan(ctx, &status); err != nil {
				t.Fatal(err)
			}
			return status == string(domain.TurnLost)
		}
		if err := l.SweepTurns(ctx); err != nil {
			t.Fatal(err)
		}
		if got := lost(); got != tc.swept {
			t.Errorf("%s: lost to a later sweep: %v, want %v", tc.name, got, tc.swept)
		}
		if err := ledgertest.Open(t, dsn).SweepTurns(ctx); err != nil {
			t.Fatal(err)
		}
		if got := lost(); got != tc.in {
			t.Errorf("%s: lost to a first sweep: %v, want %v", tc.name, got, tc.in)
		}
	}
}
