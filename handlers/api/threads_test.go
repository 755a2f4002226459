package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestThreadShape(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/threads/" + string(w.acme.Thread)
	if items := w.acme.get(t, "/threads").items(t); len(items) != 0 {
		t.Errorf("a thread in which nothing was said is listed: %v", items)
	}
	w.says(t, w.acme, "1", "Where is my parcel?")
	ledgertest.Set(t, w.ledger, "contacts", w.acme.Contact, "name", "Grace")
	a := w.acme.get(t, path).want(t, http.StatusOK).check(t, map[string]any{
		"id": w.acme.Thread, "channel": "webchat", "contact_id": w.acme.Contact, "contact_name": "Grace", "widget_id": w.acme.Widget,
		"status": "open", "handling": "agent", "assignee_id": nil, "last_seq": 1, "labels": []string{}})
	if !moment.MatchString(a.str("last_message_at")) {
		t.Errorf("last_message_at: %s", a.raw)
	}
	items := w.acme.get(t, "/threads").items(t)
	if len(items) != 1 || items[0]["id"] != string(w.acme.Thread) {
		t.Errorf("listed: %v", items)
	}
}

func TestThreadFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Where is my 100% wool scarf?")
	ledgertest.Set(t, w.ledger, "contacts", w.acme.Contact, "name", "Grace Hopper")
	someone := "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"
	tests := []struct {
		handling domain.Handling
		query    string
		listed   bool
	}{
		{"agent", "", true},
		{"agent", "status=open", true},
		{"agent", "status=closed", false},
		{"closed", "status=closed", true},
		{"closed", "status=open", false},
		{"agent", "handling=agent", true},
		{"agent", "handling=waiting,agent", true},
		{"agent", "handling=waiting,human", false},
		{"closed", "status=closed&handling=agent", false},
		{"closed", "status=closed&handling=agent,closed", true},
		{"human", "status=open&handling=human&assignee=" + string(w.acme.User.ID), true},
		{"human", "assignee=" + someone, false},
		{"agent", "channel=webchat", true},
		{"agent", "channel=chatwoot", false},
		{"agent", "contact=" + string(w.acme.Contact), true},
		{"agent", "contact=" + string(w.rival.Contact), false},
		{"agent", "q=hopper", true},
		{"agent", "q=WOOL", true},
		{"agent", "q=100%25+w", true},
		{"agent", "q=100%25x", false},
		{"agent", "q=cotton", false},
		{"agent", "unknown=filter", true},
	}
	for _, tt := range tests {
		t.Run(string(tt.handling)+" "+tt.query, func(t *testing.T) {
			ledgertest.Set(t, w.ledger, "threads", w.acme.Thread, "handling", tt.handling)
			ledgertest.Set(t, w.ledger, "threads", w.acme.Thread, "assignee_id", w.acme.User.ID)
			if n := len(w.acme.get(t, "/threads?"+tt.query).want(t, http.StatusOK).items(t)); (n == 1) != tt.listed {
				t.Errorf("%d listed", n)
			}
		})
	}
}

func TestTimelineTellsItAllInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/threads/" + string(w.acme.Thread)
	w.says(t, w.acme, "1", "Where is my parcel?")
	w.acme.post(t, path+"/messages", map[string]any{"content": "On its way."}).want(t, http.StatusCreated)
	w.acme.post(t, path+"/notes", map[string]any{"content": "She called as well."}).want(t, http.StatusCreated)
	w.acme.patch(t, path, map[string]any{"status": "closed"}).want(t, http.StatusOK)
	a := w.acme.get(t, path+"/timeline").want(t, http.StatusOK)
	if next, there := a.body["next_cursor"]; next != nil || !there {
		t.Errorf("next_cursor: %v", next)
	}
	var kinds []string
	for _, item := range a.items(t) {
		kinds = append(kinds, item["kind"].(string))
		if at, _ := item["at"].(string); !moment.MatchString(at) {
			t.Errorf("at: %v", item)
		}
		if _, ok := item["detail"].(map[string]any); !ok {
			t.Errorf("detail: %v", item)
		}
	}
	want := []string{"message_received", "dispatch_queued", "human_joined", "dispatch_skipped", "reply_stored", "note_added", "closed"}
	if sorted := slices.Sorted(slices.Values(kinds)); !slices.Equal(sorted, slices.Sorted(slices.Values(want))) || kinds[0] != want[0] || kinds[len(kinds)-1] != "closed" {
		t.Errorf("%v\nwant %v", kinds, want)
	}
	for _, item := range a.items(t) {
		detail := item["detail"].(map[string]any)
		switch item["kind"] {
		case "note_added":
			if detail["content"] != "She called as well." || detail["name"] != "Robot" {
				t.Errorf("note: %v", item)
			}
		case "message_received":
			if item["message_id"] == nil {
				t.Errorf("message: %v", item)
			}
		case "dispatch_skipped":
			if detail["reason"] != "human_handling" || item["dispatch_id"] == nil {
				t.Errorf("skip: %v", item)
			}
		}
	}
}

func TestRetryThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/threads/" + string(w.acme.Thread) + "/retry"
	w.acme.post(t, path, nil).problem(t, http.StatusConflict, "conflict") // nothing was said
	w.says(t, w.acme, "1", "Hello?")
	if _, err := w.ledger.Append(t.Context(), ledger.Append{OrgID: w.acme.Org, ThreadID: w.acme.Thread, Change: ledger.AskForPerson{}}); err != nil {
		t.Fatal(err)
	}
	w.acme.post(t, path, nil).want(t, http.StatusOK).check(t, map[string]any{"handling": "agent"})
	claims, err := w.ledger.Claim(t.Context(), 1, time.Minute, ledger.Pauses{})
	if err != nil || len(claims) != 1 {
		t.Fatalf("claims %v, %v; want the line queued anew", claims, err)
	}
	w.acme.post(t, "/threads/"+string(w.acme.Thread)+"/messages", map[string]any{"content": "hi"}).want(t, http.StatusCreated)
	w.says(t, w.acme, "2", "And?")
	w.acme.post(t, path, nil).problem(t, http.StatusConflict, "conflict") // a person has it
}
