package ledger_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// Receipts of many threads and lines in the same ones lock them in the same order: none of them ends in a deadlock.
func TestReceiptsNeverBlockLines(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	fs := make([]ledgertest.Fixture, 16)
	for i := range fs {
		fs[i] = ledgertest.Seed(t, l)
	}
	if _, err := l.NewRaw("UPDATE widgets SET rate_messages = 100000, daily_cap = 100000").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for k, f := range fs {
		wg.Go(func() {
			for n := range 120 {
				out, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread,
					Change: ledger.Line{SessionID: f.Session.ID, ClientID: fmt.Sprint(n), Content: "hello"}})
				if err != nil {
					t.Error(err)
					return
				}
				if n%16 != k {
					continue
				}
				var rs []ledger.Receipt
				for _, g := range fs {
					rs = append(rs, ledger.Receipt{OrgID: g.Org, ThreadID: g.Thread, Transport: "websocket", From: out.Message.Seq, To: out.Message.Seq})
				}
				if err := l.PutReceipts(t.Context(), rs); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
