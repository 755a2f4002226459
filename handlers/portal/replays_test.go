package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Members read what was replayed, only owners spend money on it, and nobody sees another organisation's.
func TestReplaysAreForOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	thread := w.thread(b, "When do you open?")
	page := "/threads/" + string(thread) + "/replay"
	w.answers(b, thread, ledger.Said{Content: "We open at nine.", ContentType: domain.Text})
	want(t, b.page("/threads/"+string(thread)), `href="`+page+`"`)
	want(t, b.page(page), "Run replay", "Keep these answers good", "When do you open?", "We open at nine.")
	for _, wrong := range []string{"x", "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"} {
		a := b.post(page, "agent_id", wrong, "model", "typed")
		if want(t, a.body, "Who answers"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "field-problem") {
			t.Errorf("agent %q: %d", wrong, a.status)
		}
	}
	made := b.post(page)
	if made.status != http.StatusSeeOther || !strings.HasPrefix(made.to(), "/replays/") {
		t.Fatalf("%d to %q\n%s", made.status, made.to(), made.body)
	}
	want(t, b.page(made.to()), "Waiting", "0 of 1 answer", `hx-get="`+made.to()+`/answers"`)
	id := domain.ReplayID(strings.TrimPrefix(made.to(), "/replays/"))
	if _, err := w.replays.Make(t.Context(), domain.Replay{ID: id, OrgID: b.user.OrgID}); err != nil {
		t.Fatal(err)
	}
	want(t, b.page(made.to()), "1 regression", "<del>", "<ins>")
	without(t, b.page(made.to()+"/answers"), "<html", "hx-get")

	if a := b.post("/threads/"+string(thread)+"/golden", "note_1", "Names the hour <b>.", "note_x", "no seq"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	want(t, b.page(page), "This conversation is golden", `value="Names the hour &lt;b&gt;."`)
	want(t, b.page("/golden"), "When do you open?", "Not run yet", "Run all")
	if a := b.post("/threads/"+string(thread)+"/golden", "note_1", strings.Repeat("x", domain.MaxNoteChars+1)); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "too long") {
		t.Errorf("a long note: %d", a.status)
	}
	if a := b.post("/golden/run", "agent_id", "x"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a golden run by nobody: %d", a.status)
	}
	if a := b.post("/golden/run"); a.status != http.StatusSeeOther {
		t.Errorf("a golden run: %d", a.status)
	}
	want(t, b.page("/golden"), "Waiting", `hx-get="/golden/rows"`)

	rival := w.owner("Rival")
	for _, path := range []string{page, made.to(), made.to() + "/answers"} {
		if a := rival.get(path); a.status != http.StatusNotFound {
			t.Errorf("a rival gets %d of %s", a.status, path)
		}
	}
	for _, path := range []string{page, "/threads/" + string(thread) + "/golden", "/threads/" + string(thread) + "/golden/remove"} {
		if a := rival.post(path); a.status != http.StatusNotFound {
			t.Errorf("a rival posts to %s: %d", path, a.status)
		}
	}
	without(t, rival.page("/golden"), "When do you open?")

	if _, err := w.ledger.NewRaw(`UPDATE users SET role = 'member' WHERE id = ?`, b.user.ID).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{page, "/golden/run", "/threads/" + string(thread) + "/golden", "/threads/" + string(thread) + "/golden/remove"} {
		if a := b.post(path); a.status != http.StatusForbidden {
			t.Errorf("a member posts to %s: %d", path, a.status)
		}
	}
	without(t, b.page(page), "Run replay", "<textarea")
	without(t, b.page("/golden"), "Run all")
	want(t, b.page(made.to()), "1 regression")
}
