package api

import (
	"net/http"
	"testing"
)

// A whole number is one however it is written, and what is none is refused under its name.
func TestWholeNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, want := range map[string]any{
		`{"settle_ms":10.0}`: 10, `{"settle_ms":1e1}`: 10, `{"settle_ms":1.5e3,"name":"1.0"}`: 1500, `{"settle_ms":0.0}`: 0, `{"settle_ms":10}`: 10,
		`{"settle_ms":10.0,"config":{"min_confidence":0.5}}`: 10,
	} {
		w.acme.do(t, http.MethodPatch, Prefix+"/agents/"+string(w.acme.Agent), body).want(t, http.StatusOK).check(t, map[string]any{"settle_ms": want})
	}
	w.acme.get(t, "/agents/"+string(w.acme.Agent)).check(t, map[string]any{"name": "1.0", "config.min_confidence": 0.5})
	for _, body := range []string{`{"settle_ms":1.5}`, `{"settle_ms":"10.0"}`, `{"settle_ms":1e300}`, `{"settle_ms":-1.0}`} {
		w.acme.do(t, http.MethodPatch, Prefix+"/agents/"+string(w.acme.Agent), body).badField(t, "settle_ms")
	}
}

// An answer that is given again names the same state as the first.
func TestRepeatsKeepTheirETag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.acme.post(t, "/contacts", map[string]any{"name": "Eva"}, idempotencyHeader, "once").want(t, http.StatusCreated)
	again := w.acme.post(t, "/contacts", map[string]any{"name": "Eva"}, idempotencyHeader, "once").want(t, http.StatusCreated)
	if tag := first.header.Get("ETag"); tag == "" || again.header.Get("ETag") != tag || again.header.Get(replayedHeader) != "true" {
		t.Errorf("ETag %q, again %q", tag, again.header.Get("ETag"))
	}
}
