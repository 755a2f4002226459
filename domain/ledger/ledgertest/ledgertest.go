// Package ledgertest gives tests real databases: a fresh one each, cloned from a migrated template, on one Postgres per test
// process. Without a Postgres tests fail; they never skip. It must never be imported by anything but tests.
//
// The Postgres is a private, throwaway cluster, or the server that PARLEY_TEST_DATABASE_URL names, as a role that may create
// databases. A package that uses it ends its tests through Main:
//
//	func TestMain(m *testing.M) { ledgertest.Main(m) }
package ledgertest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Main runs a package's tests, then stops and removes this process's Postgres, if a test wanted one. It does not return.
func Main(m *testing.M) {
	code := m.Run()
	if err := removeRunning(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// DSN is a database of the test's own, migrated and without a row. It is dropped when the test ends, whoever is still connected.
func DSN(t testing.TB) string {
	t.Helper()
	s := need(t)
	template, err := s.template()
	if err != nil {
		t.Fatal(err)
	}
	return s.create(t, s.like+template)
}

// EmptyDSN is like DSN, but the database has no schema.
func EmptyDSN(t testing.TB) string {
	t.Helper()
	return need(t).create(t, "")
}

func need(t testing.TB) *server {
	t.Helper()
	s, err := running()
	if err != nil {
		t.Fatalf("this test needs a Postgres: %v", err)
	}
	return s
}

func (s *server) create(t testing.TB, like string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	do := func(sql string) error {
		return s.connected(func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
			return err
		})
	}
	if err := do("CREATE DATABASE " + name + like); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := do("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return withDatabase(s.dsn, name)
}
