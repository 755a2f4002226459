package dispatch_test

import (
	"context"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// TestLostWakeUps stores lines through a node that tells nobody, as one that dies right after the commit, before and after every
// connection was broken, as by a restart of the database: the sweep finds them.
func TestLostWakeUps(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, silent := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, l)
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) { return answer("hi") },
		dispatch.Options{Sweep: 200 * time.Millisecond})
	say(t, l, f, "1")
	eventually(t, l, f, "the first answer", agentSaid(1))
	say(t, silent, f, "2")
	eventually(t, l, f, "an answer although nobody was woken", agentSaid(2))
	for _, conns := range []string{"LISTEN%", "%"} {
		_, _ = silent.NewRaw(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ILIKE ?`, conns).Exec(t.Context())
	}
	until(t, "a line is taken again", func() bool {
		_, err := silent.Append(t.Context(), lineOf(f, "3"))
		return err == nil || domain.KindOf(err) != domain.Unavailable
	})
	eventually(t, l, f, "an answer after the database was away", agentSaid(3))
}
