package ledger

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// bulk is a statement that writes any number of rows, in two forms: for one row with plain values, for more with arrays. Most batches of
// a server that is not busy hold one row of each kind, and plain values then cost Postgres a third less than arrays of one element.
type bulk[R any] struct {
	one, many string
	fields    []field[R]
}

// field is one column of what a bulk writes: its name and type in the statement, and how it is read from a row.
type field[R any] struct {
	name, typ string
	one       func(R) any
	many      func([]R) any // a slice of the values
}

func as[R, C any](name, typ string, get func(R) C) field[R] {
	return field[R]{name, typ, func(r R) any { return get(r) }, func(rs []R) any { return column(rs, get) }}
}

// newBulk makes a bulk of a statement in which {rows} stands for the rows to write, as u; u.n is their order.
func newBulk[R any](sql string, fields ...field[R]) bulk[R] {
	var values, arrays, names []string
	for i, f := range fields {
		value, array := fmt.Sprintf("$%d::%s", i+1, f.typ), fmt.Sprintf("$%d::%s[]", i+1, f.typ)
		if f.typ == "uuid" { // sent as text
			value, array = fmt.Sprintf("$%d::text::uuid", i+1), fmt.Sprintf("$%d::text[]::uuid[]", i+1)
		}
		values, arrays, names = append(values, value), append(arrays, array), append(names, f.name)
	}
	list := func(s []string) string { return strings.Join(s, ", ") }
	as := " AS u(" + list(names) + ", n)"
	return bulk[R]{
		one:    strings.Replace(sql, "{rows}", "(VALUES ("+list(values)+", 1))"+as, 1),
		many:   strings.Replace(sql, "{rows}", "unnest("+list(arrays)+") WITH ORDINALITY"+as, 1),
		fields: fields,
	}
}

// queue adds the statement for these rows to a batch; without any it adds nothing.
func (s bulk[R]) queue(b *pgx.Batch, rows []R) {
	if len(rows) == 0 {
		return
	}
	sql, args := s.many, make([]any, len(s.fields))
	for i, f := range s.fields {
		if len(rows) == 1 {
			args[i] = f.one(rows[0])
		} else {
			args[i] = f.many(rows)
		}
	}
	if len(rows) == 1 {
		sql = s.one
	}
	b.Queue(sql, args...)
}

// pick is a statement about the rows with certain ids, in two forms for the same reason.
type pick struct{ one, many string }

// newPick makes a pick of a statement with a condition on {ids}, its first argument.
func newPick(sql string) pick {
	return pick{strings.ReplaceAll(sql, "{ids}", "$1::text::uuid"), strings.ReplaceAll(sql, "{ids}", "ANY($1::text[]::uuid[])")}
}

// queue adds the statement for these ids to a batch.
func (p pick) queue(b *pgx.Batch, ids []string) *pgx.QueuedQuery {
	if len(ids) == 1 {
		return b.Queue(p.one, ids[0])
	}
	return b.Queue(p.many, ids)
}
