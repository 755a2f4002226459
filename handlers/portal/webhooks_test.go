package portal_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

var (
	hookSecret = regexp.MustCompile(`<code id="secret"[^>]*>(whsec_[0-9A-Za-z]{43})</code>`)
	hookID     = regexp.MustCompile(`name="id" value="([^"]+)"`)
)

func TestWebhookIsMadeShownOnceAndChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	want(t, b.page("/webhooks"), "No webhook yet")
	id := hookID.FindStringSubmatch(b.page("/webhooks/new"))
	if id == nil {
		t.Fatal("the form brings no id")
	}
	path := "/webhooks/" + id[1]
	if a := b.post("/webhooks", "id", id[1], "url", "ftp://x<b>", "enabled", "on", "kinds", "closed", "kinds", "nonsense"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	} else {
		want(t, a.body, "Address must start with https:// or http://", "Events has no kind", `value="ftp://x&lt;b&gt;"`, `value="closed" checked`)
	}
	made := b.post("/webhooks", "id", id[1], "url", "https://hook.example/x", "enabled", "on", "kinds", "message_received", "kinds", "closed")
	first := hookSecret.FindStringSubmatch(made.body)
	if made.status != http.StatusOK || first == nil {
		t.Fatalf("%d\n%s", made.status, tidy(made.body))
	}
	if a := b.post("/webhooks", "id", id[1], "url", "https://hook.example/x", "enabled", "on"); a.status != http.StatusSeeOther || a.to() != path {
		t.Errorf("a reload: %d to %q", a.status, a.to())
	}
	if all, err := w.account.Webhooks(t.Context(), b.user.OrgID); err != nil || len(all) != 1 || len(all[0].Kinds) != 2 {
		t.Fatal(all, err)
	}
	page := b.page(path)
	without(t, page, first[1], "whsec_")
	want(t, page, `value="closed" checked`, "Nothing here.")
	want(t, b.page("/webhooks"), "https://hook.example/x", "told of: somebody wrote, closed")

	stamp := regexp.MustCompile(`name="stamp" value="([^"]+)"`).FindStringSubmatch(page)
	rotated := b.post(path+"/secret", "stamp", stamp[1])
	if second := hookSecret.FindStringSubmatch(rotated.body); second == nil || second[1] == first[1] {
		t.Fatalf("%d\n%s", rotated.status, tidy(rotated.body))
	}
	if a := b.post(path+"/secret", "stamp", stamp[1]); a.status != http.StatusConflict || hookSecret.MatchString(a.body) {
		t.Errorf("a reload rotates again: %d", a.status)
	}
	want(t, b.page(path), "The one before signs until")
	if a := b.post(path, "url", "https://hook.example/y"); a.status != http.StatusSeeOther {
		t.Errorf("%d\n%s", a.status, tidy(a.body))
	}
	want(t, b.page(path), "Saved.", "https://hook.example/y")
	if a := b.post(path + "/delete"); a.status != http.StatusSeeOther || a.to() != "/webhooks" {
		t.Errorf("%d to %q", a.status, a.to())
	}
}

func TestWebhookLogIsShownAndSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	hook := func(b *browser) string {
		id := hookID.FindStringSubmatch(b.page("/webhooks/new"))[1]
		if a := b.post("/webhooks", "id", id, "url", "https://hook.example", "enabled", "on", "kinds", "message_received"); a.status != http.StatusOK {
			t.Fatalf("%d\n%s", a.status, tidy(a.body))
		}
		return id
	}
	id, theirs := hook(b), hook(eve)
	path := "/webhooks/" + id
	w.thread(b, "Is <b>it</b> open?", "Hello?")
	log, err := w.account.WebhookDeliveries(t.Context(), b.user.OrgID, domain.WebhookID(id), nil, "", 9)
	if err != nil || len(log) != 2 {
		t.Fatal(len(log), err)
	}
	want(t, b.page(path), "Somebody wrote", "Waits", "Is &lt;b&gt;it")
	without(t, b.page(path), "Send again", "<b>it</b>")
	for col, v := range map[string]any{"status": "dead", "last_error": "it answered with status 503", "answer_status": 503, "answer": "<i>busy</i>"} {
		ledgertest.Set(t, w.ledger, "deliveries", log[0].ID, col, v)
	}
	want(t, b.page(path+"?state=failed"), "Given up", "It answered with status 503.", "Its answer, status 503", "&lt;i&gt;busy&lt;/i&gt;", "Send again")
	want(t, b.page(path+"?state=waiting"), "Waits")
	without(t, b.page(path+"?state=waiting"), "Its answer")

	resend := path + "/deliveries/" + string(log[0].ID) + "/resend"
	for _, p := range []string{resend, "/webhooks/" + theirs + "/deliveries/" + string(log[0].ID) + "/resend"} {
		if a := eve.post(p); a.status != http.StatusNotFound {
			t.Errorf("another organisation's: %d", a.status)
		}
	}
	for _, p := range []string{path, path + "/secret"} {
		if a := eve.get(p); a.status != http.StatusNotFound {
			t.Errorf("%s of another organisation: %d", p, a.status)
		}
	}
	if a := b.post(resend); a.status != http.StatusSeeOther {
		t.Errorf("%d\n%s", a.status, tidy(a.body))
	}
	want(t, b.page(path), "It is sent again.")
	if a := b.post(resend); a.status != http.StatusNotFound {
		t.Errorf("one that is on its way: %d", a.status)
	}
	ledgertest.Set(t, w.ledger, "users", b.user.ID, "role", domain.RoleMember)
	for _, p := range []string{"/webhooks", "/webhooks/new", path} {
		if a := b.get(p); a.status != http.StatusForbidden {
			t.Errorf("a member sees %s: %d", p, a.status)
		}
	}
	for _, p := range []string{"/webhooks", path, path + "/secret", path + "/delete", resend} {
		if a := b.post(p, "url", "https://x.example"); a.status != http.StatusForbidden {
			t.Errorf("a member posts to %s: %d", p, a.status)
		}
	}
	without(t, b.page("/inbox"), `href="/webhooks"`)
}
