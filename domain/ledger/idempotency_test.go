package ledger_test

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

var order, otherOrder = []byte("a hash of the order"), []byte("a hash of another order")

func begin(t *testing.T, l *ledger.Ledger, org domain.OrgID, key string, fingerprint []byte) *ledger.IdempotentAnswer {
	t.Helper()
	a, err := l.BeginIdempotent(t.Context(), org, key, fingerprint)
	if err != nil {
		t.Fatalf("BeginIdempotent(%s): %v", key, err)
	}
	return a
}

func wantConflict(t *testing.T, l *ledger.Ledger, org domain.OrgID, key string, fingerprint []byte, code domain.Code) {
	t.Helper()
	a, err := l.BeginIdempotent(t.Context(), org, key, fingerprint)
	if a != nil || err == nil || domain.KindOf(err) != domain.Conflict || domain.CodeOf(err) != code {
		t.Errorf("BeginIdempotent(%s) = %v, %v; want a Conflict with code %q", key, a, err, code)
	}
}

func TestIdempotentAnswerIsReplayed(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	other := ledgertest.Seed(t, l).Org
	if a := begin(t, l, org, "k", order); a != nil {
		t.Fatalf("a new key has the answer %v", a)
	}
	wantConflict(t, l, org, "k", order, "")
	wantConflict(t, l, org, "k", otherOrder, domain.CodeBadField)
	if a := begin(t, l, other, "k", order); a != nil {
		t.Errorf("another organisation's key has the answer %v", a)
	}

	header, body := map[string]string{"Content-Type": "application/json", "Location": "/x"}, []byte("{\"id\":\"\x00\xff\"}")
	if err := l.FinishIdempotent(t.Context(), org, "k", 201, header, body); err != nil {
		t.Fatal(err)
	}
	replayed := func() {
		t.Helper()
		if a := begin(t, l, org, "k", order); a == nil || a.Status != 201 || !maps.Equal(a.Header, header) || !bytes.Equal(a.Body, body) {
			t.Errorf("replays %+v", a)
		}
	}
	replayed()
	wantConflict(t, l, org, "k", otherOrder, domain.CodeBadField)
	wantConflict(t, l, other, "k", order, "")

	if err := errors.Join(l.FinishIdempotent(t.Context(), org, "k", 500, nil, nil), l.AbandonIdempotent(t.Context(), org, "k")); err != nil {
		t.Fatal(err)
	}
	replayed() // what was answered stays
}

func TestAbandonedKeyIsFree(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	begin(t, l, org, "k", order)
	if err := l.AbandonIdempotent(t.Context(), org, "k"); err != nil {
		t.Fatal(err)
	}
	if a := begin(t, l, org, "k", otherOrder); a != nil {
		t.Errorf("an abandoned key has the answer %v", a)
	}
	if err := l.FinishIdempotent(t.Context(), org, "k", 204, nil, nil); err != nil {
		t.Fatal(err)
	}
	if a := begin(t, l, org, "k", otherOrder); a == nil || a.Status != 204 || len(a.Body) != 0 {
		t.Errorf("an answer without a body comes back as %+v", a)
	}
}

func TestIdempotentKeysAge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		finished bool
		age      string
		free     bool // for another request, which would be refused otherwise
	}{
		{"in progress", false, "9 minutes", false},
		{"its process died", false, "11 minutes", true},
		{"answered", true, "23 hours", false},
		{"answered long ago", true, "25 hours", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := ledgertest.New(t)
			org := ledgertest.Seed(t, l).Org
			begin(t, l, org, "k", order)
			if tt.finished {
				if err := l.FinishIdempotent(t.Context(), org, "k", 200, nil, []byte("old")); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := l.NewRaw(`UPDATE idempotent_answers SET created_at = now() - ?::interval`, tt.age).Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !tt.free {
				wantConflict(t, l, org, "k", otherOrder, domain.CodeBadField)
				return
			}
			if a := begin(t, l, org, "k", otherOrder); a != nil {
				t.Errorf("a free key has the answer %v", a)
			}
			wantConflict(t, l, org, "k", otherOrder, "") // whoever took it over has it
		})
	}
}

func TestSweepIdempotent(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	begin(t, l, org, "old", order)
	if _, err := l.NewRaw(`UPDATE idempotent_answers SET created_at = now() - interval '25 hours'`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin(t, l, org, "new", order)
	if err := l.SweepIdempotent(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left []string
	if err := l.NewRaw(`SELECT key FROM idempotent_answers`).Scan(t.Context(), &left); err != nil || strings.Join(left, ",") != "new" {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestOneOfManyBeginsAtOnce(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			a, err := l.BeginIdempotent(t.Context(), org, "k", order)
			if errs[i] = err; a != nil {
				t.Errorf("an answer nobody gave: %v", a)
			}
		})
	}
	wg.Wait()
	began := 0
	for _, err := range errs {
		if err == nil {
			began++
		} else if domain.KindOf(err) != domain.Conflict {
			t.Error(err)
		}
	}
	if began != 1 {
		t.Errorf("%d may go ahead, want 1", began)
	}
}

func TestUnusableIdempotencyKeys(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	org := ledgertest.Seed(t, l).Org
	for _, key := range []string{"", strings.Repeat("k", 256), "a\x00b", "a\xffb"} {
		if _, err := l.BeginIdempotent(t.Context(), org, key, order); err == nil || domain.KindOf(err) != domain.Invalid {
			t.Errorf("the key %q: %v, want Invalid", key, err)
		}
	}
	if a := begin(t, l, org, strings.Repeat("ß", 255), order); a != nil {
		t.Errorf("a long key has the answer %v", a)
	}
}
