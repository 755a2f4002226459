package ledger

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
)

// Watched is a handle on the same database that notes the statements it plans anew each time.
func (l *Ledger) Watched() (*Ledger, func() []string) {
	w := &watch{}
	core := &core{db: l.db.WithQueryHook(w), readers: l.readers, keyed: l.keyed, hot: l.hot, writers: l.writers, commits: l.commits, seal: l.seal, lanes: l.lanes, log: l.log}
	return &Ledger{IDB: core.db, core: core}, func() []string {
		seen := w.seen
		w.seen = nil
		return seen
	}
}

type watch struct{ seen []string }

func (w *watch) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (w *watch) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if begin := strings.ToUpper(strings.TrimLeft(e.Query, " \n(")); !strings.HasPrefix(begin, "BEGIN") && !strings.HasPrefix(begin, "COMMIT") && !strings.HasPrefix(begin, "ROLLBACK") {
		w.seen = append(w.seen, e.Query)
	}
}

// OnlyPlan is how a statement is carried out that reads no table from one end to the other if there is any other way; of empty tables Postgres
// would rather read all rows once than look each up.
func (l *Ledger) OnlyPlan(ctx context.Context, sql string, args ...any) (plan string, err error) {
	err = pgx.BeginFunc(ctx, l.readers, func(tx pgx.Tx) error {
		for _, way := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_material"} {
			if _, err := tx.Exec(ctx, "SET LOCAL "+way+" = off"); err != nil {
				return err
			}
		}
		rows, err := tx.Query(ctx, "EXPLAIN (COSTS OFF) "+sql, args...)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		plan = strings.Join(lines, "\n")
		return err
	})
	return plan, err
}

// Direct are the statements that go past bun and are planned anew each time, with arguments.
func Direct() map[string][]any {
	return map[string][]any{
		left: {10, 1.0, "2026-01-01"},
		`SELECT transport, count(*) FROM deliveries WHERE status IN ('queued', 'running') GROUP BY 1`: nil,
	}
}
