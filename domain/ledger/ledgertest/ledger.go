package ledgertest

import (
	"log/slog"
	"testing"

	"github.com/parley-chat/parley/domain/ledger"
)

// Secret is the PARLEY_SECRET of every test's ledger.
const Secret = "a secret only the tests may know"

// New is an open ledger on a database of the test's own.
func New(t testing.TB) *ledger.Ledger {
	t.Helper()
	return Open(t, DSN(t))
}

// Open opens another ledger on a database, as a second node would.
func Open(t testing.TB, dsn string) *ledger.Ledger {
	t.Helper()
	sealer, err := ledger.NewSealer(Secret)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), dsn, ledger.Options{Sealer: sealer, Conns: 8, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}
