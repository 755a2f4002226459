package ledger

import "context"

const (
	portion  = 2000 // rows that one statement forgets: its locks are short, and so is what a replica has to catch up with
	portions = 100  // of one sweep; the next goes on
)

// forget deletes the rows of a table that a condition names, in portions, each a transaction of its own.
func (l *Ledger) forget(ctx context.Context, table, condition string) error {
	for range portions {
		res, err := l.NewRaw("DELETE FROM "+table+" WHERE ctid = ANY (ARRAY(SELECT x.ctid FROM "+table+" AS x WHERE "+condition+" LIMIT ?))", portion).Exec(ctx)
		if err != nil {
			return classify(err)
		}
		if n, err := res.RowsAffected(); err != nil || n < portion {
			return classify(err)
		}
	}
	return nil
}
