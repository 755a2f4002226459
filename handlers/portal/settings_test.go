package portal_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// TestDeadDeliveriesCanBeTriedAgain shows owners what did not arrive; another organisation's is not there.
func TestDeadDeliveriesCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, other := w.owner("Acme"), w.owner("Other")
	without(t, b.page("/settings"), "Not delivered")
	thread := w.thread(b, "Hello?")
	if _, err := w.ledger.NewRaw(`INSERT INTO deliveries (id, org_id, thread_id, transport, target, payload, status, due_at, last_error, created_at, updated_at)
VALUES (gen_random_uuid(), ?, ?, 'mail', 'anna@example.com', '{}', 'dead', now(), '550 no such <mailbox>', now(), now())`, b.user.OrgID, thread).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := b.page("/settings")
	want(t, page, "Not delivered", "anna@example.com", "550 no such &lt;mailbox&gt;", `href="/threads/`+string(thread)+`"`)
	without(t, other.page("/settings"), "Not delivered", "anna@example.com")
	retry := regexp.MustCompile(`/settings/deliveries/[0-9a-f-]+/retry`).FindString(page)
	if a := other.post(retry); a.status != http.StatusNotFound {
		t.Errorf("another organisation's: %d", a.status)
	}
	if a := b.post(retry); a.status != http.StatusSeeOther || a.to() != "/settings" {
		t.Fatalf("%d to %q", a.status, a.to())
	}
	after := b.page("/settings")
	want(t, after, "on its way again")
	without(t, after, "Not delivered")
	var status string
	if err := w.ledger.NewRaw(`SELECT status FROM deliveries WHERE org_id = ?`, b.user.OrgID).Scan(t.Context(), &status); err != nil || status != "queued" {
		t.Errorf("%q, %v", status, err)
	}
	if a := b.post(retry); a.status != http.StatusNotFound {
		t.Errorf("one that is not dead: %d", a.status)
	}
	if _, err := w.ledger.NewRaw("UPDATE users SET role = ?", domain.RoleMember).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := b.post(retry); a.status != http.StatusForbidden {
		t.Errorf("a member's: %d", a.status)
	}
}
