package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/parley-chat/parley/domain"
)

// What a database that goes away makes of a statement, at whichever moment, is an outage and nobody's bug.
func TestOutagesAreUnavailable(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		driver.ErrBadConn, sql.ErrConnDone, context.DeadlineExceeded, io.ErrUnexpectedEOF, &pgconn.ConnectError{}, errors.New("conn closed"),
		&pgconn.PgError{Code: "57P01"}, &pgconn.PgError{Code: "57P03"}, &pgconn.PgError{Code: "08006"}, &pgconn.PgError{Code: "53300"}, &pgconn.PgError{Code: "40P01"},
	} {
		if kind := domain.KindOf(classify(fmt.Errorf("wrapped: %w", err))); kind != domain.Unavailable {
			t.Errorf("%v is of kind %v", err, kind)
		}
	}
	for _, err := range []error{&pgconn.PgError{Code: "42601"}, &pgconn.PgError{Code: "23505"}, errors.New("a bug")} {
		if kind := domain.KindOf(classify(err)); kind != domain.Internal {
			t.Errorf("%v is of kind %v", err, kind)
		}
	}
}
