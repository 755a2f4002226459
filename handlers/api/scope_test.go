package api

import (
	"net/http"
	"strings"
	"testing"
)

// Whatever belongs to another organisation does not exist: every operation of the document that names something answers 404 for
// a rival's, for what never was, and for what cannot be, and changes nothing.
func TestNothingOfAnotherOrganisation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.rival, "1", "A secret.")
	s, _ := readSpec(t, w)
	before := everything(t, w)
	tried := 0
	for path, methods := range s.Paths {
		if !strings.Contains(path, "{") {
			continue
		}
		for method, o := range methods {
			var body any
			if o.RequestBody != nil {
				body = o.RequestBody.Content["application/json"].Example
			}
			for _, p := range []string{own(t, w.rival, path), strings.ReplaceAll(path, "{id}", somebody), strings.ReplaceAll(path, "{id}", "no-id"),
				strings.ReplaceAll(path, "{id}", strings.ToUpper(somebody)), strings.ReplaceAll(path, "{id}", "%00"), strings.ReplaceAll(path, "{id}", "{"+somebody+"}")} {
				tried++
				if a := w.acme.do(t, strings.ToUpper(method), Prefix+p, body); a.status != http.StatusNotFound || a.body["code"] != "not_found" {
					t.Errorf("%s %s: %d %s", method, p, a.status, a.raw)
				} else if strings.Contains(string(a.raw), "secret") {
					t.Errorf("%s %s tells: %s", method, p, a.raw)
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d tried", tried)
	}
	if after := everything(t, w); after != before {
		t.Errorf("the rival's things have changed:\n%s\nwere\n%s", after, before)
	}
}

// Lists and statuses show one's own only.
func TestListsShowOnesOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.rival, "1", "A secret.")
	s, _ := readSpec(t, w)
	for path, methods := range s.Paths {
		if _, reads := methods["get"]; !reads || strings.Contains(path, "{") {
			continue
		}
		a := w.acme.get(t, path).want(t, http.StatusOK)
		for _, foreign := range []string{string(w.rival.Agent), string(w.rival.Widget), string(w.rival.Thread), string(w.rival.article), string(w.rival.Contact), string(w.rival.webhook), string(w.rival.Org)} {
			if strings.Contains(string(a.raw), foreign) {
				t.Errorf("%s shows %s", path, foreign)
			}
		}
	}
}

// everything is what the rival sees of its own.
func everything(t *testing.T, w *world) string {
	t.Helper()
	return everythingOf(t, w.rival)
}

// everythingOf is what a tenant sees of its own.
func everythingOf(t *testing.T, of tenant) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"/agents", "/widgets", "/articles", "/contacts", "/channels", "/api-keys", "/users", "/invitations", "/webhooks", "/webhooks/" + string(of.webhook) + "/deliveries", "/settings", "/organisation/budget", "/threads", "/threads/" + string(of.Thread) + "/messages", "/threads/" + string(of.Thread) + "/timeline"} {
		all.Write(of.get(t, path).want(t, http.StatusOK).raw)
	}
	return all.String()
}

func TestEveryOperationWantsAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, _ := readSpec(t, w)
	for path, methods := range s.Paths {
		for method := range methods {
			for _, auth := range []string{"", "Bearer", "Bearer ", "Basic " + w.acme.key, w.acme.key, "Bearer parley_nonsense", "Bearer " + w.acme.key + "x"} {
				a := client{base: w.server.URL}.do(t, strings.ToUpper(method), Prefix+own(t, w.acme, path), nil, "Authorization", auth)
				a.problem(t, http.StatusUnauthorized, "unauthorized")
				if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("%s %s: WWW-Authenticate %q", method, path, a.header.Get("WWW-Authenticate"))
				}
			}
		}
	}
	keys, err := w.account.APIKeys(t.Context(), w.acme.Org)
	if err != nil {
		t.Fatal(err)
	}
	w.acme.do(t, http.MethodGet, Prefix+"/agents", nil, "Authorization", "bearer "+w.acme.key).want(t, http.StatusOK)
	for _, k := range keys {
		if err := w.account.DeleteAPIKey(t.Context(), w.acme.Org, k.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.acme.get(t, "/agents").problem(t, http.StatusUnauthorized, "unauthorized")
}
