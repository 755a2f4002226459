package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestDocs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := client{base: w.server.URL}
	page := c.do(t, http.MethodGet, "/api/docs", nil).want(t, http.StatusOK)
	html := string(page.raw)
	csp := page.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") || !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("%v", page.header)
	}
	for _, no := range []string{"<script", " style=", "onclick", "http-equiv", "//cdn", "<no value>"} {
		if strings.Contains(html, no) {
			t.Errorf("the page has %s", no)
		}
	}
	s, _ := readSpec(t, w)
	for path, methods := range s.Paths {
		for method, o := range methods {
			if !strings.Contains(html, `id="`+o.OperationID+`"`) || !strings.Contains(html, Prefix+path) {
				t.Errorf("%s %s is not on the page", method, path)
			}
		}
	}
	for _, word := range []string{"rate.window_seconds", "items[].name", "default 800", "0 to 10000", "one of autonomous, suggest", "may be missing", "Idempotency-Key", "unauthorized"} {
		if !strings.Contains(html, word) {
			t.Errorf("the page does not say %q", word)
		}
	}
	if strings.Contains(html, `<div class="scroll">`) || strings.Contains(html, "<pre>") {
		t.Error("something scrolls that the keyboard cannot reach")
	}
	style := c.do(t, http.MethodGet, "/api/docs/style.css", nil).want(t, http.StatusOK)
	if !strings.HasPrefix(style.header.Get("Content-Type"), "text/css") {
		t.Errorf("%v", style.header)
	}
	for _, path := range []string{"/api/docs", "/api/docs/style.css", Prefix + "/openapi.json", Prefix + "/openapi-3.0.json"} {
		tag := c.send(t, http.MethodGet, path, nil).want(t, http.StatusOK).header.Get("ETag")
		c.send(t, http.MethodGet, path, nil, "If-None-Match", tag).want(t, http.StatusNotModified)
	}
}
