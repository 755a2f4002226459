package api

import (
	"net/http"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// TestAMergedThreadSaysWhereItIs: whoever kept its id learns the new one, by every way of reading it, and nobody else does.
func TestAMergedThreadSaysWhereItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "c1", "before")
	known := domain.Contact{ID: ledger.NewID[domain.ContactID](), OrgID: w.acme.Org, ExternalID: "u1", Profile: []byte("{}")}
	if _, err := w.ledger.NewInsert().Model(&known).Column("id", "org_id", "external_id", "stub", "profile").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	into := domain.Thread{}
	if err := w.ledger.NewRaw(`INSERT INTO threads (id, org_id, contact_id, widget_id, channel, correlation_key, handling, last_seq, last_message_at)
VALUES (?, ?, ?, ?, 'webchat', ?, 'agent', 0, now()) RETURNING *`, ledger.NewID[domain.ThreadID](), w.acme.Org, known.ID, w.acme.Widget,
		ledger.CorrelationKey(known.ID, domain.ChannelWebchat)).Scan(t.Context(), &into); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.NewRaw(`UPDATE contacts SET external_id = NULL, stub = true WHERE id = ?`, w.acme.Contact).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.Identify(t.Context(), w.acme.Org, w.acme.Session.ID, ledger.Identity{ExternalID: "u1"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "/messages", "/timeline"} {
		old := "/threads/" + string(w.acme.Thread) + path
		if got := w.acme.get(t, old).problem(t, http.StatusNotFound, "not_found").str("merged_into"); got != string(into.ID) {
			t.Errorf("%s: merged into %q, want %s", old, got, into.ID)
		}
		if got := w.rival.get(t, old).problem(t, http.StatusNotFound, "not_found").at("merged_into"); got != nil {
			t.Errorf("%s tells strangers of %v", old, got)
		}
		w.acme.get(t, "/threads/"+string(into.ID)+path).want(t, http.StatusOK)
	}
	if ms := w.acme.get(t, "/threads/"+string(into.ID)+"/messages").items(t); len(ms) != 1 || ms[0]["content"] != "before" {
		t.Errorf("its lines are %v", ms)
	}
}
