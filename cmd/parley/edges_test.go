package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestEdgesOfHTTP asks the whole program in ways that no browser does and some client will.
func TestEdgesOfHTTP(t *testing.T) {
	t.Parallel()
	e := environment(t)
	s := serve(t, e, "--demo")
	key := s.demoKey(t)
	var made struct{ Key string }
	if code := s.call(t, "POST", "/api/v1/widgets", apiKey(t, e, "demo"), map[string]any{"name": "Strict", "allowed_origins": []string{"https://site.example"}}, &made); code != http.StatusCreated {
		t.Fatal(code)
	}
	strict := "/w/" + made.Key + "/config"
	for _, tt := range []struct {
		name, method, path string
		header             http.Header
		status             int
		says               string
	}{
		{name: "a key", path: "/w/" + key + "/config", status: 200, says: `"title"`},
		{name: "an escaped key", path: "/w/%77id%5F" + strings.TrimPrefix(key, "wid_") + "/config", status: 200, says: `"title"`},
		{name: "an escaped slash parts nothing", path: "/w/" + key + "%2Fconfig", status: 404},
		{name: "a page that may", path: strict, header: http.Header{"Origin": {"https://site.example"}}, status: 200, says: `"title"`},
		{name: "one that claims to be two", path: strict, header: http.Header{"Origin": {"https://site.example", "https://evil.example"}}, status: 403, says: `"origin_not_allowed"`},
		{name: "the same in one line", path: strict, header: http.Header{"Origin": {"https://site.example, https://evil.example"}}, status: 403, says: `"origin_not_allowed"`},
		{name: "a script that comes compressed", path: "/widget.js", header: http.Header{"Accept-Encoding": {"gzip"}}, status: 200, says: "\x1f\x8b"},
		{name: "a slash too many", path: "/w/" + key + "/config/", status: 404, says: `"not_found"`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, s.url+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tt.header != nil {
			req.Header = tt.header
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != tt.status || !strings.Contains(string(body), tt.says) {
			t.Errorf("%s: %d %s, want %d with %s", tt.name, res.StatusCode, body, tt.status, tt.says)
		}
	}
}
