package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
)

// Whatever has an ETag is not sent again to who has it, by GET as by HEAD, and the document says so.
func TestWhatIsKnownIsNotSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	reader := w.as(t, w.acme, domain.ScopeRead)
	s, _ := readSpec(t, w)
	tried := 0
	for path, methods := range s.Paths {
		o, ok := methods["get"]
		if !ok || path == "/api-keys/{id}" { // which no reader sees
			continue
		}
		at := Prefix + own(t, w.acme, path)
		tag := w.acme.do(t, http.MethodGet, at, nil).header.Get("ETag")
		if _, says := o.Responses["304"]; says != (tag != "") || says != o.takes("header", "If-None-Match") {
			t.Errorf("GET %s: the ETag is %q, and the document says 304: %v", path, tag, says)
		}
		if tag == "" {
			continue
		}
		tried++
		for seen, want := range map[string]int{
			tag: http.StatusNotModified, "W/" + tag: http.StatusNotModified, `"x", ` + tag: http.StatusNotModified, "*": http.StatusNotModified,
			`"x"`: http.StatusOK, strings.Trim(tag, `"`): http.StatusOK,
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				a := reader.do(t, method, at, nil, "If-None-Match", seen)
				if a.status != want || a.header.Get("ETag") != tag || (len(a.raw) > 0) != (want == http.StatusOK && method == http.MethodGet) {
					t.Errorf("%s %s, If-None-Match %s: %d, want %d: %v %s", method, path, seen, a.status, want, a.header, a.raw)
				}
			}
		}
		if strings.Contains(path, "{id}") {
			w.rival.do(t, http.MethodGet, at, nil, "If-None-Match", "*").problem(t, http.StatusNotFound, "not_found")
		}
		client{base: w.server.URL}.do(t, http.MethodGet, at, nil, "If-None-Match", tag).problem(t, http.StatusUnauthorized, "unauthorized")
		if change, ok := methods["patch"]; ok {
			w.acme.do(t, http.MethodPatch, at, change.RequestBody.Content["application/json"].Example, "If-None-Match", tag).want(t, http.StatusOK)
			reader.do(t, http.MethodGet, at, nil, "If-None-Match", tag).want(t, http.StatusOK)
		}
	}
	if tried < 8 {
		t.Errorf("only %d tried", tried)
	}
}

// What is spent is news, and no reason to refuse a change of the limits.
func TestSpendingIsNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = Prefix + "/organisation/budget"
	tag := w.acme.do(t, http.MethodGet, path, nil).header.Get("ETag")
	if _, err := w.ledger.NewRaw(`INSERT INTO spend_days (org_id, day, micros) VALUES (?, (now() AT TIME ZONE 'UTC')::date, 1500000)`, w.acme.Org).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.acme.do(t, http.MethodGet, path, nil, "If-None-Match", tag).want(t, http.StatusOK).check(t, map[string]any{"spent_today_usd": 1.5})
	w.acme.do(t, http.MethodPatch, path, map[string]any{"daily_budget_usd": 3}, "If-Match", tag).want(t, http.StatusOK)
	w.acme.do(t, http.MethodPatch, path, map[string]any{"daily_budget_usd": 4}, "If-Match", tag).problem(t, http.StatusPreconditionFailed, "conflict")
}

// HEAD needs what GET needs, and no more.
func TestReadersMayAskForHeads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := w.as(t, w.acme, domain.ScopeRead)
	reader.send(t, http.MethodHead, Prefix+"/agents", nil).want(t, http.StatusOK)
	reader.send(t, http.MethodHead, Prefix+"/threads/"+string(w.acme.Thread), nil).want(t, http.StatusOK)
	reader.send(t, http.MethodHead, Prefix+"/api-keys", nil).want(t, http.StatusForbidden)
	w.rival.send(t, http.MethodHead, Prefix+"/threads/"+string(w.acme.Thread), nil).want(t, http.StatusNotFound)
}
