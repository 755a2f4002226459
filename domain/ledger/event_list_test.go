package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// A short time, and what happens seldom, are found without reading all that ever happened.
func TestEventsAreFoundByAnIndex(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	if _, err := l.NewRaw(`INSERT INTO events (id, org_id, thread_id, channel, kind, external_id, created_at)
SELECT gen_random_uuid(), ?0, ?1, 'webchat', CASE WHEN n = 100 THEN 'rated' WHEN n % 2 = 0 THEN 'message_received' ELSE 'reply_stored' END, 'x' || n, now() - interval '400 days' + n * interval '15 minutes'
FROM generate_series(1, 30000) n`, f.Org, f.Thread).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.NewRaw(`ANALYZE events`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.NewRaw(`SELECT brin_summarize_new_values('events_times')`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now().Add(-300 * 24 * time.Hour)
	for index, filter := range map[string]ledger.EventFilter{
		"events_times": {Since: begun, Until: begun.Add(time.Hour), Limit: 51},
		"events_kind":  {Kind: "rated", Limit: 51},
	} {
		plan, err := l.ExplainEvents(t.Context(), f.Org, filter)
		if err != nil || !strings.Contains(plan, index) {
			t.Errorf("without %s: %v\n%s", index, err, plan)
		}
	}
}
