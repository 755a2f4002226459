package ledger

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Plans are the plans that the connections of this handle keep of the statements they have prepared, by the statement.
func (l *Ledger) Plans(ctx context.Context) (map[string]string, error) {
	plans := map[string]string{}
	for _, pool := range []*pgxpool.Pool{l.hot, l.writers, l.commits} {
		for _, conn := range pool.AcquireAllIdle(ctx) {
			err := keptPlans(ctx, conn.Conn(), plans)
			conn.Release()
			if err != nil {
				return nil, err
			}
		}
	}
	return plans, nil
}

// PrepareBatches lets a connection of the lanes prepare what batches of several appends are stored with, which otherwise depends on how
// many happen to wait.
func (l *Ledger) PrepareBatches(ctx context.Context) error {
	conn, err := l.commits.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for n, sql := range []string{
		lockThreads.many, readOpen.many, updateThreads.many, insertMessages.many, insertEvents.many, insertDuplicates.many,
		updateDispatches.many, insertDispatches.many, updateTurns.many, insertTurns.many, insertSteps.many, updateLabels.many, insertTellings.many,
	} {
		if _, err := conn.Conn().Prepare(ctx, fmt.Sprint("batch_", n), sql); err != nil {
			return fmt.Errorf("%w: %s", err, sql)
		}
	}
	return nil
}

func keptPlans(ctx context.Context, conn *pgx.Conn, plans map[string]string) error {
	rows, err := conn.Query(ctx, `SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements
WHERE upper(ltrim(statement, E' \n(')) SIMILAR TO '(SELECT|INSERT|UPDATE|DELETE|WITH)%'`, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return err
	}
	type kept struct {
		Name, Statement string
		Params          int
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[kept])
	if err != nil {
		return err
	}
	for _, s := range all {
		values := strings.TrimPrefix(strings.Repeat(", NULL", s.Params), ", ")
		if values != "" {
			values = "(" + values + ")"
		}
		rows, err := conn.Query(ctx, fmt.Sprintf(`EXPLAIN (COSTS OFF) EXECUTE %s%s`, s.Name, values), pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		plans[s.Statement] = strings.Join(lines, "\n")
	}
	return nil
}
