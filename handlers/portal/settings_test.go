package portal_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
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
	if a := b.post(retry); a.status != http.StatusConflict {
		t.Errorf("one that is on its way: %d", a.status)
	}
	if _, err := w.ledger.NewRaw("UPDATE users SET role = ?", domain.RoleMember).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := b.post(retry); a.status != http.StatusForbidden {
		t.Errorf("a member's: %d", a.status)
	}
}

// A thread shows the team what did not arrive of it, and sends it again; what webhooks are told is not the team's.
func TestThreadShowsWhatDidNotArrive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, other := w.owner("Acme"), w.owner("Other")
	thread := w.thread(b, "Hello?")
	hook, err := w.account.CreateWebhook(t.Context(), b.user.OrgID, account.WebhookInput{URL: "https://hook.example", Kinds: []domain.TimelineKind{domain.Rated}, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for transport, target := range map[string]string{"mail": "anna@example.com", "webhook": string(hook.ID)} {
		var id string
		if err := w.ledger.NewRaw(`INSERT INTO deliveries (id, org_id, thread_id, transport, target, payload, status, due_at, last_error, created_at, updated_at)
VALUES (gen_random_uuid(), ?, ?, ?, ?, '{}', 'dead', now(), '550 no such <mailbox>', now(), now()) RETURNING id::text`, b.user.OrgID, thread, transport, target).Scan(t.Context(), &id); err != nil {
			t.Fatal(err)
		}
		ids[transport] = id
	}
	page := "/threads/" + string(thread)
	again := func(transport string) string { return page + "/deliveries/" + ids[transport] + "/resend" }
	ledgertest.Set(t, w.ledger, "users", b.user.ID, "role", domain.RoleMember)
	want(t, b.page(page), "The mail to anna@example.com did not arrive.", "550 no such &lt;mailbox&gt;", `action="`+again("mail"))
	without(t, b.page(page), again("webhook"))
	for _, a := range []answer{other.post(again("mail")), b.post(again("webhook")), b.post("/threads/" + string(w.thread(b, "Hi")) + "/deliveries/" + ids["mail"] + "/resend")} {
		if a.status != http.StatusNotFound {
			t.Errorf("not of this thread, or not theirs: %d", a.status)
		}
	}
	for range 2 { // a double click
		if a := b.post(again("mail")); a.status != http.StatusSeeOther || a.to() != page {
			t.Fatalf("%d to %q", a.status, a.to())
		}
	}
	without(t, b.page(page), "did not arrive")
	var queued int
	if err := w.ledger.NewRaw(`SELECT count(*) FROM deliveries WHERE status = 'queued'`).Scan(t.Context(), &queued); err != nil || queued != 1 {
		t.Errorf("%d queued, %v", queued, err)
	}
}
