package ledger_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// nursery has so many workers and remembers the turns that were born.
type nursery struct {
	mu   sync.Mutex
	free int
	born []ledger.Claim
}

func (n *nursery) births() ledger.Births {
	return ledger.Births{
		Lease: time.Minute,
		Reserve: func(domain.ThreadID) bool {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.free--
			if n.free < 0 {
				n.free++
				return false
			}
			return true
		},
		Release: func() { n.mu.Lock(); defer n.mu.Unlock(); n.free++ },
		Begin:   func(c ledger.Claim) { n.mu.Lock(); defer n.mu.Unlock(); n.born = append(n.born, c) },
	}
}

func TestTurnIsBornWithItsLine(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture)
		workers int
		born    bool
	}{
		"all is free":  {nil, 1, true},
		"no worker is": {nil, 0, false},
		"more lines may come": {func(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) {
			ledgertest.Set(t, l, "agents", f.Agent, "settle_ms", 500)
		}, 1, false},
		"the agent has enough": {func(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) { occupy(t, l, f, "running", time.Hour) }, 1, false},
		"somebody waits":       {func(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) { occupy(t, l, f, "queued", -time.Second) }, 1, false},
		"somebody will wait":   {func(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) { occupy(t, l, f, "queued", time.Hour) }, 1, true},
		"its circuit is open": {func(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) {
			for range domain.CircuitThreshold {
				if _, _, err := l.AgentFailed(t.Context(), f.Org, f.Agent, "away"); err != nil {
					t.Fatal(err)
				}
			}
		}, 1, false},
		"a claim is under way": {func(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) { holdClaims(t, l) }, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ledgertest.New(t)
			f := ledgertest.Seed(t, l)
			ledgertest.Set(t, l, "agents", f.Agent, "max_concurrent", 1)
			n := &nursery{free: tt.workers}
			l.OnBirth(n.births())
			if tt.prepare != nil {
				tt.prepare(t, l, f)
			}
			out := mustAppend(t, l, line(f, "1", "hello"))
			if (len(n.born) == 1) != tt.born || n.free != tt.workers-len(n.born) {
				t.Fatalf("born %v, %d workers free", n.born, n.free)
			}
			if !tt.born {
				return
			}
			c := n.born[0]
			if c.Attempt != 1 || c.FromSeq != 1 || c.ToSeq != 1 || c.AgentName != "Ada" || c.MaxAttempts != 3 || c.OrgID != f.Org || c.ThreadID != f.Thread || !out.Due.After(out.At) {
				t.Errorf("claim %+v, due %v at %v", c, out.Due, out.At)
			}
			if kept, err := l.Renew(t.Context(), []ledger.TurnRef{c.TurnRef}, time.Minute); err != nil || !kept[c.Dispatch] {
				t.Errorf("the lease is not its own: %v, %v", kept, err)
			}
			end := mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TurnEnd{TurnRef: c.TurnRef, Said: &ledger.Said{N: 1, Content: "hi"}}})
			if end.Suppressed || end.Message == nil {
				t.Errorf("%+v", end)
			}
		})
	}
}

// TestNewbornTurnIsBriefed reads briefings that were begun before what they tell of was stored: they say what they would have said
// after it.
func TestNewbornTurnIsBriefed(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	n := &nursery{free: 3}
	b := n.births()
	b.Lines = 3
	l.OnBirth(b)
	brief := func(turn int, want ...string) {
		t.Helper()
		if len(n.born) != turn+1 {
			t.Fatalf("%d turns were born, want %d", len(n.born), turn+1)
		}
		got, err := l.Brief(t.Context(), n.born[turn], b.Lines)
		if err != nil || got.Skip != "" || got.Agent.ID != f.Agent || !slices.Equal(contents(got.Messages), want) {
			t.Errorf("turn %d: %v; skip %q, %q, want %q", turn, err, got.Skip, contents(got.Messages), want)
		}
	}
	mustAppend(t, l, line(f, "1", "one"))
	brief(0, "one")
	mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TurnEnd{TurnRef: n.born[0].TurnRef, Said: &ledger.Said{N: 1, Content: "first"}}})
	mustAppend(t, l, line(f, "2", "two"))
	brief(1, "one", "first", "two")
	mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TurnEnd{TurnRef: n.born[1].TurnRef, Said: &ledger.Said{N: 1, Content: "second"}}})
	mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TakeOver{User: f.User}})
	mustAppend(t, l, line(f, "3", "three"))
	mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.HandBack{User: f.User}})
	brief(2, "two", "second", "three")
}

func contents(ms []domain.Message) (texts []string) {
	for _, m := range ms {
		texts = append(texts, m.Content)
	}
	return texts
}

// TestBornTurnWhoseWorkerDied lets the lease run out: whoever claims next gets the turn.
func TestBornTurnWhoseWorkerDied(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	n := &nursery{free: 1}
	b := n.births()
	b.Lease = time.Millisecond
	l.OnBirth(b)
	mustAppend(t, l, line(f, "1", "hello"))
	deadline := time.Now().Add(10 * time.Second)
	for {
		cs, err := l.Claim(t.Context(), 1, time.Minute, ledger.Pauses{})
		if err != nil || time.Now().After(deadline) {
			t.Fatal(cs, err)
		}
		if len(cs) == 1 {
			if cs[0].Attempt != 2 || cs[0].Token <= n.born[0].Token || cs[0].Dispatch != n.born[0].Dispatch {
				t.Errorf("%+v after %+v", cs[0], n.born[0])
			}
			return
		}
	}
}

// occupy gives the agent another thread with a dispatch that is due, or leased, for so long from now.
func occupy(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture, status string, due time.Duration) {
	t.Helper()
	_, err := l.NewRaw(`WITH c AS (INSERT INTO contacts (id, org_id, stub) VALUES (gen_random_uuid(), ?0, true) RETURNING id),
th AS (INSERT INTO threads (id, org_id, contact_id, widget_id, channel, correlation_key, handling) SELECT gen_random_uuid(), ?0, id, ?1, 'webchat', 'contact:' || id, 'agent' FROM c RETURNING id)
INSERT INTO dispatches (id, org_id, thread_id, agent_id, status, from_seq, to_seq, first_at, due_at, lease_until, created_at, updated_at)
SELECT gen_random_uuid(), ?0, id, ?2, ?3, 1, 1, now(), now() + ?4 * interval '1 second', CASE WHEN ?3 = 'running' THEN now() + ?4 * interval '1 second' END, now(), now() FROM th`,
		f.Org, f.Widget, f.Agent, status, due.Seconds()).Exec(t.Context())
	if err != nil {
		t.Fatal(err)
	}
}

// holdClaims holds the lock of the claims, as another node's would, until the test ends.
func holdClaims(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	conn, err := l.DB().Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), `SELECT pg_advisory_lock(7266211)`)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = conn.ExecContext(context.Background(), `SELECT pg_advisory_unlock(7266211)`)
		_ = conn.Close()
	})
}

// TestRenewWaitsForNobody holds one of two dispatches locked, as an append that ends its turn does. A renewal that waited for it
// while it held the other would deadlock with an append that wants both.
func TestRenewWaitsForNobody(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	n := &nursery{free: 2}
	l.OnBirth(n.births())
	for range 2 {
		mustAppend(t, l, line(ledgertest.Seed(t, l), "1", "hello"))
	}
	err := l.InTx(t.Context(), func(tx *ledger.Ledger) error {
		if _, err := tx.NewRaw(`UPDATE dispatches SET updated_at = now() WHERE id = ?`, n.born[1].Dispatch).Exec(t.Context()); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		kept, err := l.Renew(ctx, []ledger.TurnRef{n.born[0].TurnRef, n.born[1].TurnRef}, time.Hour)
		if err == nil && len(kept) != 2 {
			t.Errorf("kept %v", kept)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	other := n.born[0].TurnRef
	other.Token++
	if kept, err := l.Renew(t.Context(), []ledger.TurnRef{other}, time.Hour); err != nil || len(kept) != 0 {
		t.Errorf("another's lease: %v, %v", kept, err)
	}
}

// TestReceiptsStandInNobodysWay holds a thread as the storing of a receipt, or of anything else that refers to it, does: lines go on
// meanwhile, turns begin with them, and what is due is claimed. Nobody would wake a claim that had passed over it.
func TestReceiptsStandInNobodysWay(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	n := &nursery{free: 1}
	l.OnBirth(n.births())
	f, g := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	err := l.InTx(t.Context(), func(tx *ledger.Ledger) error {
		if _, err := tx.NewRaw(`SELECT FROM threads FOR KEY SHARE`).Exec(t.Context()); err != nil {
			return err
		}
		mustAppend(t, l, line(f, "1", "hello"))
		mustAppend(t, l, line(g, "1", "hello"))
		if len(n.born) != 1 {
			t.Errorf("%d turns were born, want one", len(n.born))
		}
		cs, err := l.Claim(t.Context(), 8, time.Minute, ledger.Pauses{})
		if len(cs) != 1 || cs[0].ThreadID != g.Thread {
			t.Errorf("claimed %+v, want what is due in %s", cs, g.Thread)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLinesWithoutRoomLeaveTheClaimsAlone stops a line on its way into the ledger whose agent has all the turns it may have: the lock of
// the claims, which alone can give it one, is not held until the line is stored.
func TestLinesWithoutRoomLeaveTheClaimsAlone(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	ledgertest.Set(t, l, "agents", f.Agent, "max_concurrent", 1)
	occupy(t, l, f, "running", time.Hour)
	n := &nursery{free: 1}
	l.OnBirth(n.births())
	appended := make(chan error, 1)
	err := l.InTx(t.Context(), func(tx *ledger.Ledger) error {
		if _, err := tx.NewRaw(`LOCK TABLE messages IN SHARE MODE`).Exec(t.Context()); err != nil {
			return err
		}
		go func() {
			_, err := l.Append(t.Context(), line(f, "1", "hello"))
			appended <- err
		}()
		var waits bool
		var locks int
		for !waits {
			err := l.NewRaw(`SELECT count(*) FILTER (WHERE relation = 'messages'::regclass AND NOT granted) > 0, count(*) FILTER (WHERE locktype = 'advisory') FROM pg_locks
WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(t.Context(), &waits, &locks)
			if err != nil {
				return err
			}
		}
		if locks != 0 {
			t.Error("it holds the lock of the claims")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-appended; err != nil || len(n.born) != 0 || n.free != 1 {
		t.Errorf("%v; %d turns were born, %d workers are free", err, len(n.born), n.free)
	}
}
