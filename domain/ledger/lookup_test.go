package ledger_test

import (
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// What is looked up in a transaction is as the transaction has left it, and for nobody else before it is committed.
func TestLookupsBelongToTheirTransaction(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, g := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	name := func(l *ledger.Ledger) string {
		t.Helper()
		c, err := l.Contact(t.Context(), f.Org, f.Contact)
		if err != nil {
			t.Fatal(err)
		}
		return c.Name
	}
	err := l.InTx(t.Context(), func(tx *ledger.Ledger) error {
		if err := tx.SetContactDetails(t.Context(), f.Org, f.Contact, "Ada", "", ""); err != nil {
			return err
		}
		if in, out := name(tx), name(l); in != "Ada" || out != "" {
			t.Errorf("%q within, %q without", in, out)
		}
		return nil
	})
	if err != nil || name(l) != "Ada" {
		t.Errorf("%v, then %q", err, name(l))
	}
	if _, err := l.Contact(t.Context(), g.Org, f.Contact); domain.KindOf(err) != domain.NotFound {
		t.Errorf("another organisation's: %v", err)
	}
	if _, err := l.Contact(t.Context(), f.Org, ledger.NewID[domain.ContactID]()); domain.KindOf(err) != domain.NotFound {
		t.Errorf("nobody: %v", err)
	}
}
