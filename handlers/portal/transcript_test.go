package portal_test

import (
	"net/http"
	"strings"
	"testing"
)

// A transcript is offered where there is somebody to mail it to, and a way to.
func TestMailTranscript(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	id := w.thread(b, "Hello?")
	page, to := "/threads/"+string(id), "/threads/"+string(id)+"/transcript"
	offered := func() bool { return strings.Contains(b.page(page), `action="`+to+`"`) }
	if _, err := w.ledger.DB().ExecContext(t.Context(), `UPDATE contacts SET email = 'grace@example.com'`); err != nil {
		t.Fatal(err)
	}
	if offered() {
		t.Error("offered though no mail can be sent")
	}
	if a := b.post(to); a.status != http.StatusConflict {
		t.Errorf("%d where no mail can be sent", a.status)
	}
	w.ledger.Mails()
	if !offered() {
		t.Fatal("not offered")
	}
	if a := b.post(to); a.status != http.StatusSeeOther || !strings.Contains(b.page(page), "The transcript is on its way to them.") {
		t.Errorf("%d, and no word about it", a.status)
	}
	var target string
	if err := w.ledger.DB().QueryRowContext(t.Context(), `SELECT target FROM deliveries WHERE thread_id = ? AND transport = 'mail'`, id).Scan(&target); err != nil || target != "grace@example.com" {
		t.Errorf("to %q, %v", target, err)
	}
	other := w.owner("Other")
	if a := other.post(to); a.status != http.StatusNotFound {
		t.Errorf("somebody of another organisation: %d", a.status)
	}
	if _, err := w.ledger.DB().ExecContext(t.Context(), `UPDATE contacts SET email = ''`); err != nil {
		t.Fatal(err)
	}
	if offered() {
		t.Error("offered though nobody has an address")
	}
}
