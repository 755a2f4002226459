package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// promised is what the protocol promises of /api/v1, word for word: nothing of it may go missing or change its name.
const promised = `
GET /agents · POST /agents · GET /agents/{id} · PATCH /agents/{id} · DELETE /agents/{id} · POST /agents/{id}/test · GET /agents/{id}/test
POST /agents/test/{id} · GET /agents/test/{id} · POST /agents/reload
GET /widgets · POST /widgets · GET /widgets/{id} · PATCH /widgets/{id} · DELETE /widgets/{id}
GET /contacts · POST /contacts · GET /contacts/{id} · PATCH /contacts/{id} · DELETE /contacts/{id} · POST /contacts/{id}/erase · GET /contacts/{id}/export
GET /threads · GET /threads/{id} · PATCH /threads/{id} · GET /threads/{id}/messages · POST /threads/{id}/messages · POST /threads/{id}/notes
GET /threads/{id}/timeline · POST /messages · POST /events · GET /events · GET /activity
GET /channels · POST /channels · GET /channels/{id} · PATCH /channels/{id} · DELETE /channels/{id}
GET /webhooks · POST /webhooks · GET /webhooks/{id} · PATCH /webhooks/{id} · DELETE /webhooks/{id}
GET /webhooks/{id}/deliveries · POST /webhooks/{id}/deliveries/{delivery}/resend`

func TestWhatTheProtocolPromises(t *testing.T) {
	t.Parallel()
	s, _ := readSpec(t, newWorld(t))
	n := 0
	for name := range strings.FieldsFuncSeq(promised, func(c rune) bool { return c == '·' || c == '\n' }) {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		n++
		method, path, _ := strings.Cut(name, " ")
		if _, ok := s.Paths[path][strings.ToLower(method)]; !ok {
			t.Errorf("there is no %s", name)
		}
	}
	if n != 45 {
		t.Errorf("%d promises", n)
	}
}

func (o specOperation) takes(in string, names ...string) bool {
	for _, name := range names {
		if !slices.ContainsFunc(o.Parameters, func(p struct {
			Name, In, Description string
			Required              bool
		}) bool {
			return p.In == in && p.Name == name
		}) {
			return false
		}
	}
	return true
}

// Every PATCH can be made to depend on what the caller has seen: it is refused when that is out of date, and not when it is not.
func TestEveryChangeCanDependOnWhatWasSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says(t, w.acme, "1", "Hello?")
	s, _ := readSpec(t, w)
	tried := 0
	for path, methods := range s.Paths {
		o, ok := methods["patch"]
		if !ok {
			continue
		}
		tried++
		if _, says := o.Responses["412"]; !says || !o.takes("header", "If-Match") {
			t.Errorf("PATCH %s: nothing of If-Match in the document", path)
		}
		at, body := Prefix+own(t, w.acme, path), o.RequestBody.Content["application/json"].Example
		before := w.acme.do(t, http.MethodGet, at, nil).want(t, http.StatusOK)
		tag := before.header.Get("ETag")
		if tag == "" {
			t.Errorf("GET %s has no ETag", path)
		}
		w.acme.do(t, http.MethodPatch, at, body, "If-Match", `"another"`).problem(t, http.StatusPreconditionFailed, "conflict")
		if after := w.acme.do(t, http.MethodGet, at, nil); string(after.raw) != string(before.raw) || after.header.Get("ETag") != tag {
			t.Errorf("PATCH %s was refused and done: %s", path, after.raw)
		}
		done := w.acme.do(t, http.MethodPatch, at, body, "If-Match", tag).want(t, http.StatusOK)
		if next := w.acme.do(t, http.MethodGet, at, nil); done.header.Get("ETag") != next.header.Get("ETag") || next.header.Get("ETag") == tag {
			t.Errorf("PATCH %s: %s, then %s, before %s", path, done.header.Get("ETag"), next.header.Get("ETag"), tag)
		}
	}
	if tried < 8 {
		t.Errorf("only %d tried", tried)
	}
}

// Every list comes in pages.
func TestEveryListComesInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, id := range []string{"1", "2"} {
		w.says(t, w.acme, id, "Hello?")
	}
	s, _ := readSpec(t, w)
	tried := 0
	for path, methods := range s.Paths {
		o, ok := methods["get"]
		if !ok {
			continue
		}
		a := w.acme.get(t, own(t, w.acme, path))
		if _, list := a.body["items"]; !list {
			continue
		}
		tried++
		if !o.takes("query", "cursor", "limit") {
			t.Errorf("GET %s: no cursor and limit in the document", path)
		}
		path = own(t, w.acme, path)
		if first := w.acme.get(t, path+"?limit=1").want(t, http.StatusOK); len(first.items(t)) > 1 || len(a.items(t)) > 1 && first.str("next_cursor") == "" {
			t.Errorf("GET %s?limit=1: %s", path, first.raw)
		}
		w.acme.get(t, path+"?cursor=%21").badField(t, "cursor")
		w.acme.get(t, path+"?limit=0").badField(t, "limit")
		if seen := walk(t, w.acme.client, path, identityOf(a), 1, nothing); identityOf(a) == "id" {
			once(t, seen, len(a.items(t)))
		} else if len(seen) != len(a.items(t)) {
			t.Errorf("GET %s: %v in pages", path, seen)
		}
	}
	if tried < 13 {
		t.Errorf("only %d tried", tried)
	}
}

// identityOf names the key by which the items of a list differ, or for a timeline's the one that says most.
func identityOf(a answer) string {
	for _, item := range a.body["items"].([]any) {
		if _, ok := item.(map[string]any)["id"]; !ok {
			return "kind" // of a timeline
		}
	}
	return "id"
}

// Whoever gets an answer knows how many requests are left.
func TestEveryAnswerTellsOfTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, _ := readSpec(t, w)
	for path, methods := range s.Paths {
		for method := range methods {
			if a := w.as(t, w.acme, "read").do(t, strings.ToUpper(method), Prefix+strings.NewReplacer("{id}", somebody, "{delivery}", somebody).Replace(path), nil); a.header.Get("RateLimit-Remaining") == "" || a.header.Get("RateLimit-Limit") == "" {
				t.Errorf("%s %s: %v", method, path, a.header)
			}
		}
	}
}
