package ledger

import (
	"context"
	"database/sql"
	"reflect"

	"github.com/uptrace/bun"
)

// lookup finds one row by a condition with the arguments $1, $2 and so on. It is for the rows that every request of a visitor begins
// with: they are prepared, because to plan them anew costs Postgres more than to find the row. In a transaction it is part of that.
func lookup[T any](ctx context.Context, l *Ledger, where string, args ...any) (row T, err error) {
	key := lookupKey{reflect.TypeFor[T](), where}
	text, ok := l.lookups.Load(key)
	if !ok {
		text = l.db.NewSelect().Model((*T)(nil)).Where(where).String() // names the columns: a newer server may add some meanwhile
		l.lookups.Store(key, text)
	}
	query := l.keyed.QueryContext
	if tx, ok := l.IDB.(bun.Tx); ok {
		query = tx.Tx.QueryContext
	}
	rows, err := query(ctx, text.(string), args...)
	if err != nil {
		return row, classify(err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return row, classify(err)
		}
		return row, classify(sql.ErrNoRows)
	}
	if err := l.db.ScanRow(ctx, rows, &row); err != nil {
		return row, classify(err)
	}
	return row, classify(rows.Close())
}

// lookupKey is what a lookup's statement depends on.
type lookupKey struct {
	row   reflect.Type
	where string
}
