package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// Deliveries go when they have had their time, but none that tells what the other side has already.
func TestDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	m := mustAppend(t, l, line(f, "1", "hello")).Message
	put := func(name, transport, status, external string, days int) {
		t.Helper()
		if _, err := l.NewRaw(`INSERT INTO deliveries (id, org_id, thread_id, message_id, transport, target, status, external_id, due_at, created_at, updated_at, last_error)
SELECT gen_random_uuid(), ?0, ?1, ?2, ?3, 'x', ?4, ?5, at, at, at, ?6 FROM (SELECT now() - ?7 * interval '1 day' AS at) AS t`,
			f.Org, f.Thread, m.ID, transport, status, external, name, days).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for _, tc := range []struct {
		transport, status, external string
		days                        int
		stays                       bool
	}{
		{ledger.TransportMail, "done", "", 89, true},
		{ledger.TransportMail, "done", "", 91, false},
		{ledger.TransportMail, "done", "17", 1000, true}, // up to which line somebody was mailed
		{ledger.TransportMail, "dead", "", 364, true},
		{ledger.TransportMail, "dead", "", 366, false},
		{ledger.TransportMail, "queued", "", 1000, true},
		{ledger.TransportReplyURL, "done", "", 91, false},
		{ledger.TransportReplyURL, "running", "", 91, true},
		{ledger.TransportChatwoot, "done", "4711", 1000, true}, // Chatwoot may still tell of it
		{ledger.TransportChatwoot, "done", "", 91, false},
		{ledger.TransportChatwoot, "dead", "", 91, true},
		{ledger.TransportWebhook, "done", "", 29, true},
		{ledger.TransportWebhook, "done", "", 31, false},
		{ledger.TransportWebhook, "dead", "", 31, false},
	} {
		name := fmt.Sprint(tc)
		if put(name, tc.transport, tc.status, tc.external, tc.days); tc.stays {
			want = append(want, name)
		}
	}
	if err := l.SweepDeliveries(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := l.NewRaw(`SELECT last_error FROM deliveries WHERE org_id = ? ORDER BY ord`, f.Org).Scan(t.Context(), &got); err != nil || !slices.Equal(got, want) {
		t.Errorf("left are\n%q, want\n%q: %v", got, want, err)
	}
	if ours, err := l.Echo(t.Context(), f.Org, f.Thread, "4711", "hello"); err != nil || !ours {
		t.Errorf("a reply that was posted in Chatwoot long ago is recognised: %v, %v", ours, err)
	}
}
