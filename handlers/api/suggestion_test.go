package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestSuggestionIsReadSentAndDiscarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ledgertest.Set(t, w.ledger, "agents", w.acme.Agent, "send_mode", domain.Suggest)
	c, path := w.acme.client, "/threads/"+string(w.acme.Thread)
	draft := func(clientID, content string) {
		t.Helper()
		w.says(t, w.acme, clientID, "Hello "+clientID)
		claims, err := w.ledger.Claim(t.Context(), 1, time.Minute, ledger.Pauses{})
		if err != nil || len(claims) != 1 {
			t.Fatalf("%v, %v", claims, err)
		}
		if _, err := w.ledger.Append(t.Context(), ledger.Append{OrgID: w.acme.Org, ThreadID: w.acme.Thread,
			Change: ledger.TurnEnd{TurnRef: claims[0].TurnRef, Said: &ledger.Said{N: 1, Content: content, Citations: []domain.Citation{{Title: "Hours"}}}}}); err != nil {
			t.Fatal(err)
		}
	}
	c.get(t, path+"/suggestion").problem(t, http.StatusNotFound, "not_found")
	draft("1", "We open at nine.")
	read := c.get(t, path+"/suggestion").want(t, http.StatusOK)
	read.check(t, map[string]any{"content": "We open at nine.", "outdated": false, "to_seq": 1})
	w.says(t, w.acme, "2", "Still there?")
	c.get(t, path+"/suggestion").want(t, http.StatusOK).check(t, map[string]any{"outdated": true})
	w.rival.client.get(t, path+"/suggestion").problem(t, http.StatusNotFound, "not_found")
	w.rival.client.do(t, http.MethodDelete, Prefix+path+"/suggestion", nil).problem(t, http.StatusNotFound, "not_found")

	id := read.body["id"]
	c.post(t, path+"/messages", map[string]any{"content": "At ten.", "suggestion_id": id}).want(t, http.StatusCreated)
	c.get(t, path+"/suggestion").problem(t, http.StatusNotFound, "not_found")
	wantKinds(t, c, path, "suggestion_stored", "suggestion_edited")

	draft("3", "And on Sundays we rest.")
	c.do(t, http.MethodDelete, Prefix+path+"/suggestion", nil).want(t, http.StatusNoContent)
	c.do(t, http.MethodDelete, Prefix+path+"/suggestion", nil).problem(t, http.StatusNotFound, "not_found")
	wantKinds(t, c, path, "suggestion_discarded")
}

// wantKinds fails unless a thread's timeline has items of all the kinds.
func wantKinds(t *testing.T, c client, thread string, kinds ...string) {
	t.Helper()
	has := map[any]bool{}
	for _, i := range c.get(t, thread+"/timeline").want(t, http.StatusOK).items(t) {
		has[i["kind"]] = true
	}
	for _, k := range kinds {
		if !has[k] {
			t.Errorf("the timeline lacks %s: %v", k, has)
		}
	}
}
