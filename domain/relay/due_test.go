package relay_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// TestWorkIsDueByThisClock has a database whose clock is an hour off: what is due in a second there is due in a second here.
func TestWorkIsDueByThisClock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour, "the same": 0} {
		r := relay.New(ledgertest.New(t), slog.New(slog.DiscardHandler))
		var due time.Time
		r.OnWork(func(at time.Time) { due = at })
		at := time.Now().Add(off)
		r.Committed([]ledger.Outcome{{At: at, Due: at.Add(time.Minute)}, {At: at, Due: at.Add(time.Second)}, {At: at}})
		if in := time.Until(due); in > time.Second || in < -time.Minute {
			t.Errorf("%s: due in %v", name, in)
		}
	}
}
