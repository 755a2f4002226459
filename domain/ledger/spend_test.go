package ledger_test

import (
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func bound(t *testing.T, l *ledger.Ledger, org domain.OrgID, daily, session float64) {
	t.Helper()
	b := domain.Budgets{}
	if daily >= 0 {
		b.DailyUSD = &daily
	}
	if session >= 0 {
		b.SessionUSD = &session
	}
	if err := l.SetBudgets(t.Context(), org, b); err != nil {
		t.Fatal(err)
	}
}

func wantSpent(t *testing.T, l *ledger.Ledger, org domain.OrgID, want float64) {
	t.Helper()
	if got, err := l.SpentToday(t.Context(), org); err != nil || math.Abs(got-want) > 1e-9 {
		t.Fatalf("spent today %v, %v; want %v", got, err, want)
	}
}

func TestHoldAndSettle(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, other := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	bound(t, l, f.Org, 1, 0.5)
	of := func(usd float64, session domain.SessionID) domain.Spending {
		return domain.Spending{OrgID: f.Org, Session: string(session), USD: usd}
	}
	hold, err := l.Hold(t.Context(), of(0.4, f.Session.ID))
	if err != nil {
		t.Fatal(err)
	}
	wantSpent(t, l, f.Org, 0.4)
	if _, err := l.Hold(t.Context(), of(0.2, f.Session.ID)); !over(err, "session") {
		t.Fatalf("err = %v, want the session's budget used up", err)
	}
	for range 2 { // as a caller would who lost the answer
		if err := l.Settle(t.Context(), f.Org, hold, 0.1); err != nil {
			t.Fatal(err)
		}
	}
	wantSpent(t, l, f.Org, 0.1)
	if _, err := l.Hold(t.Context(), of(0.4, f.Session.ID)); err != nil {
		t.Fatalf("what was held too much did not come back: %v", err)
	}
	if _, err := l.Hold(t.Context(), of(0.6, other.Session.ID)); !over(err, "daily") {
		t.Fatalf("err = %v, want the daily budget used up", err)
	}
	if err := l.Settle(t.Context(), other.Org, hold, 5); err != nil {
		t.Fatal(err)
	}
	wantSpent(t, l, f.Org, 0.5)
	wantSpent(t, l, other.Org, 0)
	bound(t, l, f.Org, -1, -1)
	if _, err := l.Hold(t.Context(), of(100, f.Session.ID)); err != nil {
		t.Fatalf("without a budget: %v", err)
	}
	bound(t, l, f.Org, 0, -1)
	if _, err := l.Hold(t.Context(), of(0, f.Session.ID)); !over(err, "daily") {
		t.Fatalf("with a budget of nothing: %v", err)
	}
}

func over(err error, budget string) bool {
	o, ok := errors.AsType[*domain.OverBudget](err)
	return ok && o.Budget == budget && strings.Contains(err.Error(), budget)
}

func TestNodesTogetherSpendNoMoreThanThereIs(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	a, b := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, a)
	bound(t, a, f.Org, 1, -1)
	var through atomic.Int32
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			session := string(ledger.NewID[domain.SessionID]())
			hold, err := []*ledger.Ledger{a, b}[i%2].Hold(t.Context(), domain.Spending{OrgID: f.Org, Session: session, USD: 0.1})
			switch {
			case err == nil && hold != "":
				through.Add(1)
			case !over(err, "daily"):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if through.Load() != 10 {
		t.Fatalf("%d calls of a tenth came through on a budget of one", through.Load())
	}
	wantSpent(t, b, f.Org, 1)
}
