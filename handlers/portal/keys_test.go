package portal_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func TestAPIKeysAreMadeShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	want(t, b.page("/settings"), `href="/settings/keys"`)
	page := b.page("/settings/keys")
	want(t, page, "No key yet", `value="read" checked`, `value="365" selected`)
	id := hookID.FindStringSubmatch(page)[1]
	bad := b.post("/settings/keys", "id", id, "name", "<b> ", "scope", "all", "days", "30")
	if bad.status != http.StatusUnprocessableEntity {
		t.Fatalf("%d", bad.status)
	}
	want(t, bad.body, "What it may do must be one of", `value="&lt;b&gt; "`, `value="30" selected`, `name="id" value="`+id+`"`)

	made := b.post("/settings/keys", "id", id, "name", "Shop <b>", "scope", "write", "days", "30")
	key := regexp.MustCompile(`<code id="secret"[^>]*>(parley_[0-9A-Za-z]{40})</code>`).FindStringSubmatch(made.body)
	if made.status != http.StatusOK || key == nil {
		t.Fatalf("%d\n%s", made.status, tidy(made.body))
	}
	_, k, err := w.account.OrganisationByAPIKey(t.Context(), key[1])
	if err != nil || string(k.ID) != id || k.Scope != domain.ScopeWrite || k.ExpiresAt.IsZero() {
		t.Fatalf("%+v, %v", k, err)
	}
	if a := b.post("/settings/keys", "id", id, "name", "Shop", "scope", "write"); a.status != http.StatusSeeOther || a.to() != "/settings/keys" {
		t.Errorf("a reload: %d to %q", a.status, a.to())
	}
	page = b.page("/settings/keys")
	want(t, page, "Shop &lt;b&gt;", k.Prefix+"…", "reads and writes", "used ")
	without(t, page, key[1], "Shop <b>")
	ledgertest.Set(t, w.ledger, "api_keys", id, "expires_at", k.CreatedAt)
	want(t, b.page("/settings/keys"), "Ended")

	without(t, eve.page("/settings/keys"), k.Prefix)
	revoke := "/settings/keys/" + id + "/revoke"
	if a := eve.post(revoke); a.status != http.StatusNotFound {
		t.Errorf("another organisation's: %d", a.status)
	}
	ledgertest.Set(t, w.ledger, "users", b.user.ID, "role", domain.RoleMember)
	for _, a := range []answer{b.get("/settings/keys"), b.post("/settings/keys", "name", "x", "scope", "admin"), b.post(revoke)} {
		if a.status != http.StatusForbidden {
			t.Errorf("a member: %d", a.status)
		}
	}
	ledgertest.Set(t, w.ledger, "users", b.user.ID, "role", domain.RoleOwner)
	if a := b.post(revoke); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	want(t, b.page("/settings/keys"), "The key is revoked", "No key yet")
}
