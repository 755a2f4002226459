package handlers

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
)

func TestPathsMeanTheSameHoweverTheyAreEscaped(t *testing.T) {
	t.Parallel()
	var got string
	r := chi.NewRouter()
	r.Use(unescaped)
	r.Get("/w/{key}/config", func(_ http.ResponseWriter, r *http.Request) { got = chi.URLParam(r, "key") })
	for path, want := range map[string]string{
		"/w/wid_a/config":         "wid_a",
		"/w/%77id%5Fa/config":     "wid_a",
		"/%77/wid_a/c%6fnfig":     "wid_a",
		"/w/a%20b/config":         "a b",
		"/w/a%2525/config":        "a%25",
		"/w/%61%2Fb/config":       "%61%2Fb", // one name; whoever takes names with slashes reads it so
		"/w/wid_a%2Fconfig":       "",
		"/w/wid_a/config%2f":      "",
		"/w/..%2f..%2fx/config":   "..%2f..%2fx",
		"/w/%2e%2e/config":        "..",
		"/w/wid_a/%63onfig/extra": "",
	} {
		got = ""
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
