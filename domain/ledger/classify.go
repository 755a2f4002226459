package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/parley-chat/parley/domain"
)

// classify turns a database error into the house's kinds: nothing found, an outage worth waiting for, or a bug.
// Domain errors, nil and the caller's own cancellation pass as they are.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case isDomain(err), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, pgx.ErrNoRows):
		return &domain.Error{Kind: domain.NotFound, Msg: "there is no such thing", Err: err}
	case transient(err):
		return unavailable(err)
	default:
		return &domain.Error{Kind: domain.Internal, Code: domain.CodeInternal, Msg: "something went wrong on our side", Err: err}
	}
}

func isDomain(err error) bool {
	_, ok := errors.AsType[*domain.Error](err)
	return ok
}

func unavailable(err error) *domain.Error {
	return &domain.Error{Kind: domain.Unavailable, Code: domain.CodeUnavailable, RetryAfter: time.Second, Err: err,
		Msg: "we cannot store this right now, please try again in a moment"}
}

// transient reports whether the same statement may succeed later: there is no connection to be had, for whatever reason, or it
// broke, or the server is starting, stopping, full, or asks for a retry.
func transient(err error) bool {
	if _, dial := errors.AsType[*pgconn.ConnectError](err); dial {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "40001", "40P01", "55P03", "25006": // serialization failure, deadlock, lock not available, read-only (failover)
			return true
		}
		// 08 connection, 53 insufficient resources, 57 operator intervention, 58 system error
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "53") ||
			strings.HasPrefix(pg.Code, "57") || strings.HasPrefix(pg.Code, "58")
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "unexpected EOF")
}

// isUnique reports whether err says that a row with this key is there already.
func isUnique(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "23505"
}

// contended reports whether two transactions waited for each other: the one that gave way may simply begin again.
func contended(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "40P01" || pg.Code == "40001")
}

// isOrphan reports whether err says that a row refers to one that is gone.
func isOrphan(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "23503"
}
