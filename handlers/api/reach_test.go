package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// The scopes of operations, as far as they do not follow from "reading is read, the rest is write". A new operation that is neither
// must be thought about and written down here.
var scopes = map[domain.Scope]string{
	domain.ScopeAdmin: `
POST /agents · PATCH /agents/{id} · DELETE /agents/{id} · POST /agents/{id}/test · GET /agents/{id}/test · POST /agents/test/{id} · GET /agents/test/{id}
POST /widgets · PATCH /widgets/{id} · DELETE /widgets/{id} · POST /widgets/{id}/rotate-secret · DELETE /widgets/{id}/previous-secret
POST /articles · POST /articles/import · PATCH /articles/{id} · DELETE /articles/{id}
POST /channels · PATCH /channels/{id} · DELETE /channels/{id} · POST /channels/{id}/test · POST /channels/{id}/retry
POST /webhooks · PATCH /webhooks/{id} · DELETE /webhooks/{id} · POST /webhooks/{id}/rotate-secret
PATCH /users/{id} · DELETE /users/{id} · POST /users/{id}/password-link
GET /invitations · POST /invitations · DELETE /invitations/{id}
GET /api-keys · POST /api-keys · GET /api-keys/{id} · DELETE /api-keys/{id}
DELETE /contacts/{id} · POST /contacts/{id}/erase
POST /threads/{id}/replays · PUT /threads/{id}/golden · DELETE /threads/{id}/golden
PATCH /organisation/budget · PATCH /settings`,
	domain.ScopeWrite: `
POST /agents/reload · POST /contacts · PATCH /contacts/{id} · POST /events · POST /messages · POST /attachments
POST /deliveries/{id}/resend · POST /webhooks/{id}/deliveries/{delivery}/resend
PATCH /threads/{id} · POST /threads/{id}/messages · POST /threads/{id}/notes · POST /threads/{id}/retry · DELETE /threads/{id}/suggestion`,
}

// scopeWanted is the scope an operation is to need.
func scopeWanted(t *testing.T, method, path string) domain.Scope {
	t.Helper()
	for scope, all := range scopes {
		for name := range strings.FieldsFuncSeq(all, func(c rune) bool { return c == '·' || c == '\n' }) {
			if strings.TrimSpace(name) == method+" "+path {
				return scope
			}
		}
	}
	if method != http.MethodGet {
		t.Errorf("%s %s: which scope is it to need?", method, path)
	}
	return domain.ScopeRead
}

// Every operation of the document needs the scope that it says and that is wanted of it: a narrower key is answered with 403 before
// anything else is looked at, on whatever it asks for, and changes nothing; one that is just wide enough is not.
func TestEveryOperationNeedsItsScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	s, _ := readSpec(t, w)
	narrower := map[domain.Scope]client{domain.ScopeWrite: w.as(t, w.acme, domain.ScopeRead).client, domain.ScopeAdmin: w.as(t, w.acme, domain.ScopeWrite).client}
	wide := map[domain.Scope]client{}
	for _, scope := range domain.Scopes() {
		wide[scope] = w.as(t, w.acme, scope).client
	}
	for _, c := range narrower {
		c.get(t, "/agents").want(t, http.StatusOK) // it is noted when a key was used
	}
	before := everythingOf(t, w.acme)
	refused := 0
	for path, methods := range s.Paths {
		for method, o := range methods {
			method = strings.ToUpper(method)
			need := scopeWanted(t, method, path)
			if len(o.Security) != 1 || len(o.Security[0]["apiKey"]) != 1 || o.Security[0]["apiKey"][0] != string(need) {
				t.Errorf("%s %s: the document says %v, want %s", method, path, o.Security, need)
			}
			if _, says := o.Responses["403"]; says != (need != domain.ScopeRead) {
				t.Errorf("%s %s: 403 in the document: %v", method, path, says)
			}
			narrow, any := narrower[need]
			if !any {
				continue
			}
			refused++
			for _, at := range []string{own(t, w.acme, path), own(t, w.rival, path), strings.ReplaceAll(path, "{id}", "no-id")} {
				a := narrow.do(t, method, Prefix+at, "{", idempotencyHeader, "k").problem(t, http.StatusForbidden, "forbidden")
				if !strings.Contains(a.str("detail"), string(need)) || !strings.Contains(a.header.Get("WWW-Authenticate"), `scope="`+string(need)+`"`) {
					t.Errorf("%s %s does not say what it needs: %v %s", method, at, a.header, a.raw)
				}
			}
		}
	}
	if after := everythingOf(t, w.acme); after != before {
		t.Errorf("something has changed:\n%s\nwas\n%s", after, before)
	}
	if refused < 40 {
		t.Errorf("only %d refused", refused)
	}
	for path, methods := range s.Paths {
		for method := range methods { // of what does not exist, so that nothing is lost that another one needs
			method = strings.ToUpper(method)
			at := strings.NewReplacer("{id}", somebody, "{delivery}", somebody).Replace(path)
			if a := wide[scopeWanted(t, method, path)].do(t, method, Prefix+at, "{"); a.status == http.StatusForbidden || a.status == http.StatusUnauthorized {
				t.Errorf("%s %s: %d with the scope it needs", method, path, a.status)
			}
		}
	}
}

// What one key was answered comes back to no key that could not have asked.
func TestIdempotencyKeyWidensNoScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := map[string]any{"name": "Other", "scope": "admin"}
	first := w.acme.post(t, "/api-keys", body, idempotencyHeader, "k").want(t, http.StatusCreated)
	a := w.as(t, w.acme, domain.ScopeWrite).post(t, "/api-keys", body, idempotencyHeader, "k").problem(t, http.StatusForbidden, "forbidden")
	if strings.Contains(string(a.raw), first.str("key")) {
		t.Error("it tells the key")
	}
	again := w.acme.post(t, "/api-keys", body, idempotencyHeader, "k").want(t, http.StatusCreated)
	if again.str("key") != first.str("key") || again.header.Get(replayedHeader) != "true" {
		t.Errorf("%s", again.raw)
	}
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	end := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	made := w.acme.post(t, "/api-keys", map[string]any{"name": " Shop ", "scope": "read", "expires_at": end}).want(t, http.StatusCreated)
	made.check(t, map[string]any{"name": "Shop", "scope": "read", "expires_at": Time(end), "last_used_at": nil})
	key, path := made.str("key"), "/api-keys/"+made.str("id")
	if !strings.HasPrefix(key, made.str("prefix")) || len(key) != 47 {
		t.Errorf("%s", made.raw)
	}
	shop := client{w.server.URL, key}
	shop.get(t, "/agents").want(t, http.StatusOK)
	for _, a := range []answer{w.acme.get(t, path).want(t, http.StatusOK), w.acme.get(t, "/api-keys").want(t, http.StatusOK)} {
		if strings.Contains(string(a.raw), key) || strings.Contains(string(a.raw), `"key"`) {
			t.Errorf("shows a key: %s", a.raw)
		}
	}
	if w.acme.get(t, path).at("last_used_at") == nil {
		t.Error("its use is not shown")
	}
	w.rival.get(t, path).problem(t, http.StatusNotFound, "not_found")
	ledgertest.Set(t, w.ledger, "api_keys", made.str("id"), "expires_at", time.Now())
	a := shop.get(t, "/agents").problem(t, http.StatusUnauthorized, "unauthorized")
	if !strings.Contains(a.str("detail"), "expired") || !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("%v %s", a.header, a.raw)
	}
	ledgertest.Set(t, w.ledger, "api_keys", made.str("id"), "expires_at", nil)
	shop.get(t, "/agents").want(t, http.StatusOK)
	w.acme.do(t, http.MethodDelete, Prefix+path, nil).want(t, http.StatusNoContent)
	w.acme.do(t, http.MethodDelete, Prefix+path, nil).problem(t, http.StatusNotFound, "not_found")
	shop.get(t, "/agents").problem(t, http.StatusUnauthorized, "unauthorized")
	once(t, walk(t, w.acme.client, "/api-keys", "id", 1, nothing), 2)
}

func TestAPIKeyRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for field, body := range map[string]map[string]any{
		"name":       {"name": " ", "scope": "read"},
		"scope":      {"name": "x"},
		"expires_at": {"name": "x", "scope": "read", "expires_at": "2001-01-01T00:00:00Z"},
	} {
		w.acme.post(t, "/api-keys", body).badField(t, field)
	}
	w.acme.post(t, "/api-keys", map[string]any{"name": "x", "scope": "all"}).badField(t, "scope")
	w.acme.post(t, "/api-keys", map[string]any{"name": "x", "scope": "read", "expires_at": "soon"}).badField(t, "expires_at")
	if _, _, err := w.account.CreateAPIKey(t.Context(), w.acme.Org, account.APIKeyInput{ID: w.acme.spare, Name: "x", Scope: domain.ScopeRead}); domain.KindOf(err) != domain.Conflict {
		t.Errorf("the same key twice: %v", err)
	}
}
