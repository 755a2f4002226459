package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestReplyTakesTheThreadOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	path := "/threads/" + string(w.acme.Thread)
	a := w.acme.post(t, path+"/messages", map[string]any{"content": "  Hi Grace.  ", "client_id": "m-1"}).want(t, http.StatusCreated)
	a.check(t, map[string]any{"seq": 2, "thread_id": w.acme.Thread, "client_id": "m-1", "direction": "outbound", "content": "Hi Grace.", "content_type": "text",
		"author": map[string]any{"kind": "human", "name": "Acme"}, "citations": nil})
	if !moment.MatchString(a.str("created_at")) || a.str("id") == "" {
		t.Errorf("%s", a.raw)
	}
	w.acme.get(t, path).check(t, map[string]any{"handling": "human", "assignee_id": nil, "last_seq": 2})

	again := w.acme.post(t, path+"/messages", map[string]any{"content": "Hi Grace.", "client_id": "m-1"}).want(t, http.StatusOK)
	again.check(t, a.body)
	w.acme.post(t, path+"/messages", map[string]any{"content": "Bob here.", "author": map[string]any{"name": "Bob", "kind": "visitor"}}).want(t, http.StatusCreated).
		check(t, map[string]any{"seq": 3, "author": map[string]any{"kind": "human", "name": "Bob"}})

	ledgertest.Set(t, w.ledger, "threads", w.acme.Thread, "handling", "closed")
	w.acme.post(t, path+"/messages", map[string]any{"content": "One more thing."}).want(t, http.StatusCreated)
	w.acme.get(t, path).check(t, map[string]any{"handling": "human", "last_seq": 4})

	items := w.acme.get(t, path+"/messages").want(t, http.StatusOK).items(t)
	if len(items) != 4 || items[0]["direction"] != "inbound" || items[1]["id"] != a.str("id") {
		t.Errorf("%v", items)
	}
	author, _ := items[0]["author"].(map[string]any)
	if author["kind"] != "visitor" {
		t.Errorf("the visitor's line: %v", items[0])
	}
}

func TestBadMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/messages", "/notes"} {
		path = "/threads/" + string(w.acme.Thread) + path
		w.acme.post(t, path, map[string]any{}).badField(t, "content")
		w.acme.post(t, path, map[string]any{"content": 7}).badField(t, "content")
		w.acme.post(t, path, map[string]any{"content": " \n"}).problem(t, http.StatusUnprocessableEntity, "empty_content")
		w.acme.post(t, path, map[string]any{"content": strings.Repeat("ä", 4001)}).problem(t, http.StatusUnprocessableEntity, "too_long")
		w.acme.post(t, path, map[string]any{"content": strings.Repeat("ä", 4000)}).want(t, http.StatusCreated)
		w.acme.post(t, path, map[string]any{"content": "x", "author": map[string]any{"name": strings.Repeat("x", 81)}}).badField(t, "author.name")
	}
	w.acme.post(t, "/threads/"+string(w.acme.Thread)+"/messages", map[string]any{"content": "x", "client_id": strings.Repeat("x", 65)}).badField(t, "client_id")
}

func TestClientIDOfAnotherThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.threads(t, 1)
	other := w.acme.get(t, "/threads").items(t)[0]["id"]
	body := map[string]any{"content": "Hi.", "client_id": "1"}
	w.acme.post(t, fmt.Sprintf("/threads/%s/messages", other), body).want(t, http.StatusCreated)
	w.acme.post(t, "/threads/"+string(w.acme.Thread)+"/messages", body).want(t, http.StatusCreated) // each thread has its own
	// Another organisation's are its own.
	w.rival.post(t, "/threads/"+string(w.rival.Thread)+"/messages", body).want(t, http.StatusCreated)
}

func TestNote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	path := "/threads/" + string(w.acme.Thread)
	a := w.acme.post(t, path+"/notes", map[string]any{"content": "Ask Bob."}).want(t, http.StatusCreated)
	a.check(t, map[string]any{"thread_id": w.acme.Thread, "direction": "note", "content": "Ask Bob.", "content_type": "text",
		"author": map[string]any{"kind": "human", "name": "Robot"}})
	if _, there := a.body["seq"]; there || !moment.MatchString(a.str("created_at")) {
		t.Errorf("%s", a.raw)
	}
	w.acme.get(t, path).check(t, map[string]any{"handling": "agent", "last_seq": 1})
	if n := len(w.acme.get(t, path+"/messages").items(t)); n != 1 {
		t.Errorf("%d messages", n)
	}
}
