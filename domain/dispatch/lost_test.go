package dispatch_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// TestLostWakeUps stores lines through a node that tells nobody, as one that dies right after the commit, before and after every
// connection was broken, as by a restart of the database: the sweep finds them. The lease
// is so long that no look after it can help.
func TestLostWakeUps(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, silent := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, l)
	v := voice(func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) { return answer("hi") })
	// Its relay does not run: no hint comes, and nobody looks because a connection is back.
	d := dispatch.New(l, relay.New(l, slog.New(slog.DiscardHandler)), func(domain.Agent) (agent.Runtime, error) { return v, nil },
		dispatch.Options{Sweep: 200 * time.Millisecond, Lease: time.Hour, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = d.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	say(t, l, f, "1")
	eventually(t, l, f, "the first answer", agentSaid(1))
	say(t, silent, f, "2")
	eventually(t, l, f, "an answer although nobody was woken", agentSaid(2))
	_, _ = silent.NewRaw(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Exec(t.Context())
	until(t, "a line is taken again", func() bool {
		_, err := silent.Append(t.Context(), lineOf(f, "3"))
		return err == nil || domain.KindOf(err) != domain.Unavailable
	})
	eventually(t, l, f, "an answer after the database was away", agentSaid(3))
}

// TestNoTurnIsBornWhileSomebodyWrites says a line in the middle of a burst: its turn waits, as one that is claimed does.
func TestNoTurnIsBornWhileSomebodyWrites(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	n := start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) { return answer("hi") }, dispatch.Options{})
	say(t, l, f, "1")
	eventually(t, l, f, "the first answer", agentSaid(1)) // turns are given now
	n.relay.Hint(relay.Hint{Thread: f.Thread, Kind: relay.Typing, On: true, Author: domain.Author{Kind: domain.AuthorVisitor}})
	say(t, l, f, "2")
	var turns int
	if err := l.NewRaw(`SELECT count(*) FROM turns WHERE thread_id = ?`, f.Thread).Scan(t.Context(), &turns); err != nil || turns != 1 {
		t.Errorf("%d turns, %v", turns, err)
	}
	n.relay.Hint(relay.Hint{Thread: f.Thread, Kind: relay.Typing, Author: domain.Author{Kind: domain.AuthorVisitor}})
	eventually(t, l, f, "the second answer", agentSaid(2))
}
