package ledger_test

import (
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// Deleting a contact takes the contact before its threads, as identifying and erasing do: whoever holds the contact can have the threads
// while a deletion waits for it, so that neither waits for the other.
func TestDeletingAContactTakesTheContactFirst(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	var deletion sync.WaitGroup
	err := l.InTx(t.Context(), func(tx *ledger.Ledger) error {
		if _, err := tx.LockContact(t.Context(), f.Org, f.Contact); err != nil {
			return err
		}
		deletion.Go(func() {
			if err := l.DeleteContact(t.Context(), f.Org, f.Contact); err != nil {
				t.Errorf("the deletion: %v", err)
			}
		})
		waits := false
		for end := time.Now().Add(20 * time.Second); !waits && time.Now().Before(end); {
			if err := l.NewRaw(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(t.Context(), &waits); err != nil {
				return err
			}
		}
		if !waits {
			t.Error("the deletion does not wait")
		}
		var id domain.ThreadID
		return tx.NewRaw(`SELECT id FROM threads WHERE id = ? FOR UPDATE NOWAIT`, f.Thread).Scan(t.Context(), &id)
	})
	if err != nil {
		t.Errorf("the threads cannot be had: %v", err)
	}
	deletion.Wait()
	if _, err := l.Thread(t.Context(), f.Org, f.Thread); domain.KindOf(err) != domain.NotFound {
		t.Errorf("its thread: %v", err)
	}
}

// A sweep forgets all whose time is over, however many, and nothing else.
func TestSweepsForgetInPortions(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	if _, err := l.NewRaw(`INSERT INTO idempotent_answers (org_id, key, fingerprint, created_at)
SELECT ?, n::text, '', now() - CASE WHEN n > 3 THEN interval '25 hours' ELSE interval '23 hours' END FROM generate_series(1, 4500) n`, f.Org).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := l.SweepIdempotent(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := l.NewRaw(`SELECT count(*) FROM idempotent_answers`).Scan(t.Context(), &left); err != nil || left != 3 {
		t.Errorf("%d left, %v; want 3", left, err)
	}
	for name, sweep := range map[string]func() error{
		"uploads": func() error { return l.SweepUploads(t.Context()) }, "spend": func() error { return l.SweepSpend(t.Context()) },
		"replays": func() error { return l.SweepReplays(t.Context()) }, "texts": func() error { return l.SweepTexts(t.Context()) },
		"places": func() error { return l.SweepPlaces(t.Context()) }, "deliveries": func() error { return l.SweepDeliveries(t.Context()) },
	} {
		if err := sweep(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
