package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.acme.post(t, "/webhooks", map[string]any{"url": "https://shop.example/hook?x=1", "kinds": []string{"closed", "closed"}}).want(t, http.StatusCreated)
	made.check(t, map[string]any{"url": "https://shop.example/hook?x=1", "kinds": []string{"closed"}, "enabled": true, "disabled_reason": "", "failing_since": nil})
	secret, path := made.str("secret"), "/webhooks/"+made.str("id")
	if !strings.HasPrefix(secret, "whsec_") || len(secret) < 40 {
		t.Errorf("secret %q", secret)
	}
	for _, a := range []answer{w.acme.get(t, path).want(t, http.StatusOK), w.acme.get(t, "/webhooks").want(t, http.StatusOK), w.acme.patch(t, path, map[string]any{"enabled": false}).want(t, http.StatusOK)} {
		if strings.Contains(string(a.raw), "whsec_") || strings.Contains(string(a.raw), `"secret"`) {
			t.Errorf("shows the secret again: %s", a.raw)
		}
	}
	w.acme.get(t, path).check(t, map[string]any{"enabled": false, "url": "https://shop.example/hook?x=1", "kinds": []string{"closed"}})
	rotated := w.acme.post(t, path+"/rotate-secret", nil).want(t, http.StatusOK)
	if s := rotated.str("secret"); s == secret || !strings.HasPrefix(s, "whsec_") || rotated.str("previous_secret_until") == "" {
		t.Errorf("%s", rotated.raw)
	}
	if w.acme.get(t, path).at("previous_secret_until") == nil {
		t.Error("the overlap is not shown")
	}
	w.acme.do(t, http.MethodDelete, Prefix+path, nil).want(t, http.StatusNoContent)
	w.acme.get(t, path).problem(t, http.StatusNotFound, "not_found")
}

func TestWebhookRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for url, why := range map[string]string{"": "url", "shop.example": "url", "ftp://shop.example": "url", "https://": "url", "https://a:b@shop.example": "url",
		"https://shop.example/#x": "url", "https://" + strings.Repeat("x", 2050): "url", "https://shop.example/\n": ""} {
		a := w.acme.post(t, "/webhooks", map[string]any{"url": url})
		if why == "" { // trimmed
			a.want(t, http.StatusCreated)
			continue
		}
		a.badField(t, why)
	}
	w.acme.post(t, "/webhooks", map[string]any{}).problem(t, http.StatusUnprocessableEntity, "bad_field")
	w.acme.post(t, "/webhooks", map[string]any{"url": "https://shop.example", "kinds": []string{"tool_call"}}).problem(t, http.StatusUnprocessableEntity, "bad_field")
	for range 18 {
		w.acme.post(t, "/webhooks", map[string]any{"url": "https://shop.example"}).want(t, http.StatusCreated)
	}
	w.acme.post(t, "/webhooks", map[string]any{"url": "https://shop.example"}).want(t, http.StatusConflict)
}

func TestWebhookLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/webhooks/" + string(w.acme.webhook)
	for i, id := range []string{"1", "2", "3"} {
		w.says(t, w.acme, id, "Hello?")
		if i == 0 { // it is told of ratings only
			if n := len(w.acme.get(t, path+"/deliveries").items(t)); n != 1 {
				t.Fatalf("%d entries", n)
			}
			w.acme.patch(t, path, map[string]any{"kinds": []string{"message_received"}}).want(t, http.StatusOK)
		}
	}
	first := w.acme.get(t, path+"/deliveries?limit=2").want(t, http.StatusOK)
	items := first.items(t)
	if len(items) != 2 || items[0]["kind"] != "message_received" || items[0]["status"] != "queued" || items[0]["thread_id"] != string(w.acme.Thread) || items[0]["next_attempt_at"] == nil {
		t.Fatalf("%s", first.raw)
	}
	request, _ := items[0]["request"].(map[string]any)
	message, _ := request["message"].(map[string]any)
	if message["content"] != "Hello?" || message["seq"] != 3.0 || message["direction"] != "inbound" {
		t.Errorf("request %v", request)
	}
	rest := w.acme.get(t, path+"/deliveries?limit=2&cursor="+first.str("next_cursor")).items(t)
	if len(rest) != 1 || rest[0]["id"] != string(w.acme.told) || rest[0]["answer_status"] != 200.0 || rest[0]["answer"] != "ok" {
		t.Errorf("%v", rest)
	}
	w.acme.post(t, path+"/deliveries/"+items[0]["id"].(string)+"/resend", nil).problem(t, http.StatusNotFound, "not_found") // on its way
	w.acme.post(t, path+"/deliveries/"+string(w.rival.told)+"/resend", nil).problem(t, http.StatusNotFound, "not_found")
	w.acme.post(t, path+"/deliveries/"+string(w.acme.told)+"/resend", nil).want(t, http.StatusNoContent)
	if top := w.acme.get(t, path+"/deliveries").items(t)[0]; top["id"] != string(w.acme.told) || top["status"] != "queued" || top["answer_status"] != nil {
		t.Errorf("not the newest: %v", top)
	}
	w.acme.patch(t, path, map[string]any{"enabled": false}).want(t, http.StatusOK)
	if n := len(w.acme.get(t, path+"/deliveries?status=dead").items(t)); n != 3 {
		t.Errorf("%d given up when it was switched off", n)
	}
	w.acme.post(t, path+"/deliveries/"+string(w.acme.told)+"/resend", nil).want(t, http.StatusConflict)
	w.acme.get(t, path+"/deliveries?cursor=x").badField(t, "cursor")
}
