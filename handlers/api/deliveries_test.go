package api

import (
	"net/http"
	"testing"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dead := w.acme.get(t, "/deliveries?status=dead").want(t, http.StatusOK).items(t)
	if len(dead) != 1 || dead[0]["id"] != string(w.acme.delivery) || dead[0]["error"] != "connection refused" || dead[0]["target"] != "anna@example.com" || dead[0]["request"] != nil {
		t.Fatalf("%v", dead)
	}
	for query, want := range map[string]int{"": 2, "?status=dead,done": 2, "?status=queued": 0, "?transport=webhook": 1, "?transport=mail&status=done": 0,
		"?thread=" + string(w.acme.Thread): 1, "?thread=" + string(w.rival.Thread): 0} {
		if n := len(w.acme.get(t, "/deliveries"+query).want(t, http.StatusOK).items(t)); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	told := w.acme.get(t, "/deliveries/"+string(w.acme.told)).want(t, http.StatusOK)
	told.check(t, map[string]any{"transport": "webhook", "webhook_id": w.acme.webhook, "target": "https://hook.example/", "kind": "rated", "answer_status": 200, "thread_id": w.acme.Thread})

	path := "/deliveries/" + string(w.acme.delivery) + "/resend"
	w.acme.post(t, path, nil).want(t, http.StatusOK).check(t, map[string]any{"id": w.acme.delivery, "status": "queued", "error": "", "attempts": 0})
	w.acme.post(t, path, nil).problem(t, http.StatusConflict, "conflict") // on its way
	if top := w.acme.get(t, "/deliveries").items(t)[0]; top["id"] != string(w.acme.delivery) || top["next_attempt_at"] == nil {
		t.Errorf("not the newest: %v", top)
	}
	once(t, walk(t, w.acme.client, "/deliveries", "id", 1, nothing), 2)
	w.acme.patch(t, "/webhooks/"+string(w.acme.webhook), map[string]any{"enabled": false}).want(t, http.StatusOK)
	w.acme.post(t, "/deliveries/"+string(w.acme.told)+"/resend", nil).problem(t, http.StatusConflict, "conflict")
	w.acme.patch(t, "/webhooks/"+string(w.acme.webhook), map[string]any{"enabled": true}).want(t, http.StatusOK)
	w.acme.post(t, "/deliveries/"+string(w.acme.told)+"/resend", nil).want(t, http.StatusOK)
	ledgertest.Set(t, w.ledger, "deliveries", w.acme.delivery, "target", "") // erased
	ledgertest.Set(t, w.ledger, "deliveries", w.acme.delivery, "status", "done")
	w.acme.post(t, path, nil).problem(t, http.StatusConflict, "conflict")
	w.acme.get(t, "/deliveries?cursor=x").badField(t, "cursor")
	w.acme.get(t, "/deliveries?cursor=-1").badField(t, "cursor")
	w.acme.get(t, "/deliveries?status=lost").problem(t, http.StatusUnprocessableEntity, "bad_field")
}

func TestLedgerAndFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	w.says(t, w.rival, "1", "A secret.")
	recorded := w.acme.post(t, "/events", map[string]any{"channel": "sms", "kind": "order_placed", "external_id": "O-1", "contact": map[string]any{"name": "Grace", "phone": "+15550100"},
		"payload": map[string]any{"total": 12}}).want(t, http.StatusCreated)
	w.acme.post(t, "/events", map[string]any{"channel": "sms", "kind": "text", "external_id": "T-1", "contact": map[string]any{"phone": "+15550100"},
		"payload": map[string]any{"content": "Where is my parcel?"}}).want(t, http.StatusCreated)
	w.acme.patch(t, "/threads/"+string(w.acme.Thread), map[string]any{"handling": "human"}).want(t, http.StatusOK)

	all := w.acme.get(t, "/events").want(t, http.StatusOK).items(t)
	var kinds []any
	for _, e := range all {
		kinds = append(kinds, e["kind"])
	}
	if len(all) != 6 || kinds[0] != "human_joined" || kinds[5] != "message_received" {
		t.Fatalf("newest first: %v", kinds)
	}
	one := w.acme.get(t, "/events?channel=sms&kind=order_placed&external_id=O-1").items(t)
	if len(one) != 1 || one[0]["id"] != recorded.str("event_id") || one[0]["thread_id"] != recorded.str("thread_id") || one[0]["detail"].(map[string]any)["payload"].(map[string]any)["total"] != 12.0 {
		t.Errorf("%v", one)
	}
	if n := len(w.acme.get(t, "/events?thread="+string(w.acme.Thread)).items(t)); n != 3 {
		t.Errorf("%d of the thread", n)
	}
	once(t, walk(t, w.acme.client, "/events", "id", 2, func(page int) {
		w.says(t, w.acme, "while"+string(rune('a'+page)), "What comes meanwhile is not told twice, nor does it push anything out.")
	}), 6)

	feed := w.acme.get(t, "/activity?limit=100").want(t, http.StatusOK).items(t)
	told := map[string]int{}
	for _, x := range feed {
		told[x["kind"].(string)]++
		if x["kind"] != "message_received" {
			continue
		}
		if m := x["message"].(map[string]any); m["content"] == "Where is my parcel?" && (x["thread"].(map[string]any)["contact_name"] != "Grace" || x["thread"].(map[string]any)["channel"] != "sms") {
			t.Errorf("%v", x)
		}
	}
	if told["text"] != 0 || told["order_placed"] != 1 || told["human_joined"] != 1 || told["message_received"] < 2 || told["dispatch_queued"] != 0 {
		t.Errorf("the feed tells %v", told)
	}
	once(t, walk(t, w.acme.client, "/activity", "id", 1, nothing), len(feed))
	for _, path := range []string{"/events?cursor=0", "/activity?cursor=x"} {
		w.acme.get(t, path).badField(t, "cursor")
	}
	w.acme.get(t, "/events?kind=%00").badField(t, "kind")
}
