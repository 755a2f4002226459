//go:build unix

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/parley-chat/parley/domain"
)

// Database is the application's database. Start makes it if it is not there.
const Database = "parley"

// superuser owns the cluster. It needs no password: who may enter the socket's directory may be it, and that is only the
// account Postgres runs as, and root.
const superuser = "parley"

// Config says where a cluster lives and how it runs.
type Config struct {
	Dir       string    // for the data, the socket and a lock; made if missing
	BinDir    string    // holds initdb and postgres (PGBIN); empty = the usual places
	Ephemeral bool      // for tests: starts quicker, takes more connections, and a power cut may destroy it
	Log       io.Writer // takes what Postgres and its supervisor have to say, in whole lines; nil = nobody
}

// Server is a running cluster. It survives crashes of Postgres: while it is not stopped a dead server is started again, on
// the same socket. Its methods may be called by several goroutines.
type Server struct {
	socket string // directory
	port   int
	shared bool // another program supervises it

	stop, cut func() // ask the goroutine that owns the server for an end in order, and for an end at once
	stopping  context.Context
	cutting   context.Context
	done      chan struct{}
	err       error // why it ended; set before done is closed
}

// Start brings up the cluster in cfg.Dir and returns once its application database can be used. A missing cluster is made
// first. As root, Postgres runs as the owner of the data, else as postgres or nobody; as anyone else, as ourselves.
//
// If another program supervises the cluster, Start shares its server and Stop leaves it running. If that program was killed,
// Start waits for what it left behind to end. ctx bounds the start alone: recovery after a power cut may take a minute.
//
// Start fails with Invalid, in one line that says what to do, if there are no binaries, if the data was made by another major
// version of Postgres or is no cluster, or if Postgres cannot reach it; with Unavailable if Postgres does not come up.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	h, err := openHome(cfg)
	if err != nil {
		return nil, err
	}
	s, err := h.enter(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.createDatabase(ctx); err != nil {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
		defer cancel()
		return nil, errors.Join(err, s.Stop(grace))
	}
	return s, nil
}

// enter takes the cluster over, or shares it with whoever has it, and tries until one of the two works out.
func (h *home) enter(ctx context.Context) (*Server, error) {
	for {
		lock, err := h.lock()
		if err != nil {
			return nil, err
		}
		if lock != nil {
			s, err := h.own(ctx, lock)
			if s != nil || err != nil {
				return s, err
			}
		}
		s, busy := h.attach(ctx)
		if s != nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return nil, unavailable(fmt.Errorf("%w: %w", ctx.Err(), busy),
				"another program has the cluster in %s open, and its Postgres does not answer", h.dir)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// own starts a postmaster under the lock, which from then on belongs to the server. It returns neither server nor error if a
// postmaster runs there that no supervisor of ours has started: that one is to be shared.
func (h *home) own(ctx context.Context, lock *os.File) (s *Server, err error) {
	defer func() {
		if s == nil {
			_ = lock.Close()
		}
	}()
	if foreign, err := h.evict(ctx); foreign || err != nil {
		return nil, err
	}
	if err := h.prepare(ctx); err != nil {
		return nil, err
	}
	_ = h.account.give(lock.Name()) // so that the owner of the data can start it without root, too
	return h.launch(ctx, lock)
}

func newServer(socket string, port int) *Server {
	s := &Server{socket: socket, port: port, done: make(chan struct{})}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.cutting, s.cut = context.WithCancel(context.Background())
	return s
}

// DSN is how to connect to a database of the cluster, as its superuser: a URL that pgx and psql understand. It stays the same
// for the server's whole life.
func (s *Server) DSN(database string) string {
	q := url.Values{"host": {s.socket}, "port": {strconv.Itoa(s.port)}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

// Done is closed once the server is down for good: stopped, or given up after too many crashes, or gone with the program that
// supervised it.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says why the server is down: nil after Stop, and before Done is closed.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Stop ends the server in order: open transactions are rolled back, everything committed is on disk. When ctx ends first, the
// server is cut short, which loses nothing committed but makes the next start recover; Stop then says so. A server that is
// shared is left to its supervisor. Stop may be called again.
func (s *Server) Stop(ctx context.Context) error {
	s.stop()
	if s.shared {
		<-s.done
		return nil
	}
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
	}
	s.cut()
	<-s.done // bounded: Postgres kills its own children 5 s after the signal
	return fmt.Errorf("postgres was cut short and recovers at its next start: %w", context.Cause(ctx))
}

// createDatabase makes the application's database, unless it is there or somebody else is faster.
func (s *Server) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("cannot connect to the Postgres just started: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var there bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", Database).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+Database)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.Code == "42P04" || pg.Code == "23505") { // duplicate database
		return nil
	}
	return err
}

// refuse is a failure that only the operator can mend.
func refuse(format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Msg: fmt.Sprintf(format, args...)}
}

// unavailable is a failure that may be gone next time.
func unavailable(err error, format string, args ...any) error {
	return &domain.Error{Kind: domain.Unavailable, Msg: fmt.Sprintf(format, args...), Err: err}
}
