package api

import (
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// An outage of the database is told as one, whatever was asked, and over when it is over.
func TestOutage(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	line := newLine(t, dsn)
	w := newWorldOn(t, ledgertest.Open(t, line.dsn))
	w.acme.get(t, "/agents").want(t, http.StatusOK)
	message := func() answer {
		return w.acme.post(t, "/threads/"+string(w.acme.Thread)+"/messages", map[string]any{"content": "Hi."}, idempotencyHeader, "k")
	}
	line.cut()
	w.acme.get(t, "/agents").problem(t, http.StatusServiceUnavailable, "unavailable")
	message().problem(t, http.StatusServiceUnavailable, "unavailable")
	line.mend()
	w.acme.get(t, "/agents").want(t, http.StatusOK)
	a := message()
	for deadline := time.Now().Add(10 * time.Second); a.status == http.StatusServiceUnavailable && time.Now().Before(deadline); {
		a = message() // a pool still finds out which of its connections are dead
	}
	a.want(t, http.StatusCreated).check(t, map[string]any{"seq": 1})
}

// line carries connections to a database and can be cut.
type line struct {
	dsn   string
	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newLine(t *testing.T, dsn string) *line {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	l := &line{dsn: "host=" + host + " port=" + port + " user=" + c.User + " password='" + c.Password + "' dbname=" + c.Database + " sslmode=disable"}
	network, address := pgconn.NetworkAddress(c.Host, c.Port)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial(network, address)
			if err != nil || !l.hold(in, out) {
				_ = in.Close()
				continue
			}
			wg.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
			wg.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.cut()
		wg.Wait()
	})
	return l
}

// hold keeps a pair of connections, unless the line is cut.
func (l *line) hold(in, out net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		_ = out.Close()
		return false
	}
	l.conns = append(l.conns, in, out)
	return true
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}
