//go:build unix

package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// childDir makes the test binary a program that runs the cluster in this directory until its standard input ends.
const childDir = "PARLEY_CLUSTER_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	goleak.VerifyTestMain(m)
}

func child(dir string) int {
	s, err := Start(context.Background(), Config{Dir: dir, Ephemeral: true, Log: os.Stderr})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("up")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Stop(context.Background()); err != nil {
		return 1
	}
	return 0
}

func TestStart(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		ephemeral bool
		want      map[string]string
	}{
		{"durable", false, map[string]string{"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on", "listen_addresses": "",
			"max_connections": "200", "log_min_error_statement": "panic", "server_encoding": "UTF8", "TimeZone": "UTC"}},
		{"ephemeral", true, map[string]string{"fsync": "off", "synchronous_commit": "on", "listen_addresses": "", "max_connections": "300"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Dir: newDir(t), Ephemeral: tt.ephemeral}
			s := start(t, cfg)
			dsn := s.DSN(Database)
			for name, want := range tt.want {
				if got := ask(t, dsn, "SELECT current_setting('"+name+"')"); got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			if got := ask(t, dsn, "SELECT lower('ÄÉŐ')"); got != "äéő" {
				t.Errorf("lower of letters beyond ASCII = %q: search would not find them", got)
			}
			ask(t, dsn, "CREATE TABLE kept AS SELECT 'yes'::text AS v")
			if err := s.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			select {
			case <-s.Done():
			default:
				t.Error("Done is open after Stop")
			}
			if s.Err() != nil {
				t.Errorf("Err after Stop = %v", s.Err())
			}
			if err := s.Stop(t.Context()); err != nil {
				t.Errorf("second Stop: %v", err)
			}

			again := start(t, cfg)
			if again.DSN(Database) != dsn {
				t.Errorf("the socket moved from %s to %s", dsn, again.DSN(Database))
			}
			if got := ask(t, dsn, "SELECT v FROM kept"); got != "yes" {
				t.Errorf("after a restart the data is %q", got)
			}
		})
	}
}

// A crash of Postgres alone is mended on the same socket, and nothing committed is lost.
func TestRestartsAfterCrash(t *testing.T) {
	t.Parallel()
	var log output
	s := start(t, Config{Dir: newDir(t), Ephemeral: true, Log: &log})
	dsn := s.DSN(Database)
	ask(t, dsn, "CREATE TABLE kept AS SELECT 'yes'::text AS v")
	for range 2 {
		before := pid(t, s)
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		await(t, "another postmaster", func() bool {
			p, ok := readPostmaster(dataOf(s))
			return ok && p.ready && p.pid != before
		})
		if got := ask(t, dsn, "SELECT v FROM kept"); got != "yes" {
			t.Errorf("after the crash the data is %q", got)
		}
	}
	if s.Err() != nil {
		t.Errorf("Err = %v, but it is up again", s.Err())
	}
	if !strings.Contains(log.String(), "ended unexpectedly (signal: killed); starting it again in 100ms") {
		t.Errorf("the crash is not in the log:\n%s", log.String())
	}
}

// Programs that start at once on a fresh directory share one server, which lives as long as the one that supervises it.
func TestShared(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	servers := make([]*Server, 4)
	var starts sync.WaitGroup
	for i := range servers {
		starts.Go(func() {
			s, err := Start(t.Context(), Config{Dir: dir, Ephemeral: true})
			if err != nil {
				t.Error(err)
				return
			}
			servers[i] = s
		})
	}
	starts.Wait()
	if t.Failed() {
		t.FailNow()
	}
	var owner *Server
	var guests []*Server
	for _, s := range servers {
		if s.shared {
			guests = append(guests, s)
		} else if owner == nil {
			owner = s
		} else {
			t.Fatal("two programs supervise one cluster")
		}
	}
	if owner == nil {
		t.Fatal("nobody supervises the cluster")
	}
	if err := guests[0].Stop(t.Context()); err != nil {
		t.Error(err)
	}
	ask(t, guests[1].DSN(Database), "SELECT 'still there'")
	stop(t, owner)
	for _, s := range guests[1:] {
		select {
		case <-s.Done():
			if s.Err() == nil {
				t.Error("the shared server is gone, but Err is nil")
			}
		case <-time.After(10 * time.Second):
			t.Error("a program does not notice that the shared server is gone")
		}
	}
}

// A program that is killed and started again at once gets its data back, although Postgres outlives it by a moment.
func TestKilledProgram(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var said string
		if _, err := fmt.Fscanln(out, &said); err != nil || said != "up" {
			t.Fatalf("round %d: the program says %q: %v", round, said, err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		_ = in.Close()
		began := time.Now()
		s := start(t, Config{Dir: dir, Ephemeral: true})
		if s.shared {
			t.Fatal("it shares the server of a program that is dead")
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("the start after a kill took %v", d)
		}
		ask(t, s.DSN(Database), "SELECT 'up'")
		stop(t, s)
	}
}

// When Stop may not wait, it cuts Postgres short and says so; the next start recovers what was committed.
func TestStopInAHurry(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: newDir(t), Ephemeral: true}
	s := start(t, cfg)
	ask(t, s.DSN(Database), "CREATE TABLE kept AS SELECT 'yes'::text AS v")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(ctx); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("Stop = %v, want that it was cut short", err)
	}
	if got := ask(t, start(t, cfg).DSN(Database), "SELECT v FROM kept"); got != "yes" {
		t.Errorf("after recovery the data is %q", got)
	}
}

// A directory whose name is too long for a socket address has its socket elsewhere.
func TestLongDirectory(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Dir: filepath.Join(newDir(t), strings.Repeat("long", 25)), Ephemeral: true})
	ask(t, s.DSN(Database), "SELECT 'up'")
	stop(t, s)
	if _, err := os.Stat(s.socket); !os.IsNotExist(err) {
		t.Errorf("%s is left behind: %v", s.socket, err)
	}
}

func newDir(t *testing.T) string {
	t.Helper()
	dir, err := ScratchDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// ask runs a statement and returns its first value, if it has one.
func ask(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(values, " ")
}

func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func dataOf(s *Server) string { return filepath.Join(filepath.Dir(s.socket), "data") }

func pid(t *testing.T, s *Server) int {
	t.Helper()
	p, ok := readPostmaster(dataOf(s))
	if !ok {
		t.Fatal("there is no postmaster")
	}
	return p.pid
}

// output collects a log.
type output struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
