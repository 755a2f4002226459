package ledgertest

import (
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { Main(m) }

// Each test has a migrated database to itself.
func TestDSN(t *testing.T) {
	t.Parallel()
	for range 3 {
		t.Run("one of many", func(t *testing.T) {
			t.Parallel()
			conn, err := pgx.Connect(t.Context(), DSN(t)) // left open: dropping the database does not mind
			if err != nil {
				t.Fatal(err)
			}
			var n int
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM organisations").Scan(&n); err != nil || n != 0 {
				t.Errorf("%d organisations, %v, want a migrated database without a row", n, err)
			}
			if _, err := conn.Exec(t.Context(), "CREATE TABLE only_here ()"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEmptyDSN(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), EmptyDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	var n int
	err = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&n)
	if err != nil || n != 0 {
		t.Errorf("%d tables, %v, want none", n, err)
	}
}

// Databases go with their tests, and the cluster's directory with the process.
func TestCleansUp(t *testing.T) {
	t.Parallel()
	var dsn string
	t.Run("a test", func(t *testing.T) { dsn = DSN(t) })
	if _, err := pgx.Connect(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("connecting after the test: %v, want that the database does not exist", err)
	}
	if os.Getenv("PARLEY_TEST_DATABASE_URL") != "" {
		return
	}
	s, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := pgx.ParseConfig(s.dsn)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cfg.Host); !os.IsNotExist(err) {
		t.Errorf("%s is left behind: %v", cfg.Host, err)
	}
}

func TestWithDatabase(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"postgres://parley@/postgres?host=%2Ftmp%2Fa+b":           "postgres://parley@/x?host=%2Ftmp%2Fa+b",
		"postgres://me:secret@db:5433/old?dbname=y&sslmode=allow": "postgres://me:secret@db:5433/x?sslmode=allow",
		"postgres://localhost":                                    "postgres://localhost/x",
		"host=/tmp user=me dbname=old":                            "host=/tmp user=me dbname=old dbname=x",
	} {
		got := withDatabase(dsn, "x")
		if got != want {
			t.Errorf("withDatabase(%q) = %q, want %q", dsn, got, want)
		}
		cfg, err := pgx.ParseConfig(got)
		if err != nil || cfg.Database != "x" {
			t.Errorf("%q names database %q, %v", got, cfg.Database, err)
		}
	}
}

func BenchmarkDSN(b *testing.B) {
	DSN(b)
	for b.Loop() {
		DSN(b)
	}
}
