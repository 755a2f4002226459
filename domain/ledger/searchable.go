package ledger

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/parley-chat/parley/domain"
)

// stretch is how many lines of a thread one row of thread_grams is about at most.
const stretch = 200

// The lines of a stretch are read as one text; no gram goes from one line into the next.
const (
	unsearchable = `
SELECT t.id::text, t.org_id::text, t.searchable, least(t.last_seq, t.searchable + $2),
       coalesce((SELECT string_agg(m.content, E'\n') FROM messages m
                 WHERE m.thread_id = t.id AND m.seq > t.searchable AND m.seq <= t.searchable + $2), '')
FROM (SELECT id, org_id, searchable, last_seq FROM threads WHERE last_seq > searchable ORDER BY org_id LIMIT $1) AS t`

	nowSearchable = `
WITH these AS MATERIALIZED (
    SELECT t.id, u.upto FROM unnest($1::text[]::uuid[], $2::bigint[], $3::bigint[]) AS u(id, since, upto)
    JOIN threads t ON t.id = u.id AND t.searchable = u.since AND t.last_seq >= u.upto
    ORDER BY t.id -- as appends lock them
    FOR NO KEY UPDATE OF t
)
UPDATE threads t SET searchable = s.upto FROM these s WHERE t.id = s.id`
)

// errMoved says that a thread was joined or erased while its lines were read.
var errMoved = errors.New("ledger: a thread has moved on")

// MakeSearchable enters what was said since into the index of the search, of up to limit threads, and says of how many; of 0 also while
// somebody else is doing it. Searches find what is not entered yet as well, but have to read it.
func (l *Ledger) MakeSearchable(ctx context.Context, limit int) (n int, err error) {
	err = pgx.BeginFunc(ctx, l.hot, func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(hashtext('parley: searchable'))`).Scan(&mine); err != nil || !mine {
			return err
		}
		n, err = makeSearchable(ctx, tx, limit)
		return err
	})
	if errors.Is(err, errMoved) { // the next round finds them as they are now
		return 0, nil
	}
	return n, classify(err)
}

func makeSearchable(ctx context.Context, tx pgx.Tx, limit int) (int, error) {
	rows, err := tx.Query(ctx, unsearchable, limit, stretch)
	if err != nil {
		return 0, err
	}
	var ids []string
	var since, upto []int64
	b := &pgx.Batch{}
	var id, org, text string
	var from, to int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &org, &from, &to, &text}, func() error {
		ids, since, upto = append(ids, id), append(since, from), append(upto, to)
		b.Queue(`INSERT INTO thread_grams (org_id, thread_id, to_seq, grams) VALUES ($1::text::uuid, $2::text::uuid, $3, $4)`,
			org, id, to, grams(domain.OrgID(org), text))
		return nil
	}); err != nil || len(ids) == 0 {
		return 0, err
	}
	b.Queue(nowSearchable, ids, since, upto).Exec(func(done pgconn.CommandTag) error { // locks the threads, as late as it can
		if done.RowsAffected() < int64(len(ids)) {
			return errMoved
		}
		return nil
	})
	return len(ids), tx.SendBatch(ctx, b).Close()
}
