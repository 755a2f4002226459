package account_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestMain(m *testing.M) { ledgertest.Main(m) }

// tenant is an organisation of a test's own ledger, and the service on it.
type tenant struct {
	*account.Service
	ledger *ledger.Ledger
	org    domain.OrgID
}

func newTenant(t *testing.T) tenant {
	t.Helper()
	l := ledgertest.New(t)
	return tenant{account.New(l), l, newOrg(t, l, "acme")}
}

func newOrg(t *testing.T, l *ledger.Ledger, slug string) domain.OrgID {
	t.Helper()
	o, made, err := l.EnsureOrganisation(t.Context(), domain.Organisation{ID: ledger.NewID[domain.OrgID](), Name: slug, Slug: slug, CreatedAt: time.Now()})
	if err != nil || !made {
		t.Fatalf("EnsureOrganisation(%s): made %t, %v", slug, made, err)
	}
	return o.ID
}

// exec changes rows by hand.
func exec(t *testing.T, l *ledger.Ledger, sql string, args ...any) {
	t.Helper()
	if _, err := l.NewRaw(sql, args...).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// scan reads one value by hand.
func scan[T any](t *testing.T, l *ledger.Ledger, sql string, args ...any) (v T) {
	t.Helper()
	if err := l.NewRaw(sql, args...).Scan(t.Context(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func wantKind(t *testing.T, err error, kind domain.Kind) {
	t.Helper()
	if err == nil || domain.KindOf(err) != kind {
		t.Errorf("fails with %v (kind %d), want kind %d", err, domain.KindOf(err), kind)
	}
}

// wantProblems wants an Invalid error about exactly these fields.
func wantProblems(t *testing.T, err error, fields ...string) {
	t.Helper()
	wantKind(t, err, domain.Invalid)
	e, ok := errors.AsType[*domain.Error](err)
	if !ok {
		return
	}
	if got := slices.Sorted(maps.Keys(e.Fields)); !slices.Equal(got, slices.Sorted(slices.Values(fields))) {
		t.Errorf("problems of %v, want %v", e.Fields, fields)
	}
	if e.Code != domain.CodeBadField {
		t.Errorf("the code is %q, want bad_field", e.Code)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
