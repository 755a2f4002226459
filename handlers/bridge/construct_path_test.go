package bridge

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
)

func TestSessionsAreNamedOnce(t *testing.T) {
	t.Parallel()
	var got string
	r := chi.NewRouter()
	r.Get("/api/sessions/{id}/state", func(_ http.ResponseWriter, r *http.Request) { got = sessionID(r) })
	for path, want := range map[string]string{
		"/api/sessions/orders/state":   "orders",
		"/api/sessions/a%2Fb/state":    "a/b",
		"/api/sessions/a%20b/state":    "a b",
		"/api/sessions/a%2525/state":   "a%25", // whose name has a percent sign is read once, not twice
		"/api/sessions/%61%252F/state": "a%2F",
	} {
		got = ""
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
