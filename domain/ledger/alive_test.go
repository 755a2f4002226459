package ledger_test

import (
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// TestConnectionsThatTheServerEnded has the server end all connections while nobody uses them, as a restart does. Whoever comes next
// sees nothing of it, however soon that is.
func TestConnectionsThatTheServerEnded(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, other := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, l)
	mustAppend(t, l, line(f, "0", "hello"))
	for range 3 {
		var left int
		_, err := other.NewRaw(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Exec(t.Context())
		for end := time.Now().Add(20 * time.Second); err == nil; {
			if err = other.NewRaw(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(t.Context(), &left); left == 0 {
				break
			} else if time.Now().After(end) {
				t.Fatalf("%d connections do not end", left)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		_, readers := l.Widgets(t.Context(), f.Org)
		_, _, hot := l.Positions(t.Context(), []domain.ThreadID{f.Thread}, nil)
		writers := l.SweepTurns(t.Context())
		_, commits := l.Append(t.Context(), line(f, time.Now().String(), "hello again"))
		for pool, err := range map[string]error{"readers": readers, "hot": hot, "writers": writers, "commits": commits} {
			if err != nil {
				t.Errorf("%s: %v", pool, err)
			}
		}
	}
}
