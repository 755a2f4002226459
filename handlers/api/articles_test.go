package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestArticleRoundTrip(t *testing.T) {
	t.Parallel()
	c := newWorld(t).acme.client
	made := c.post(t, "/articles", map[string]any{"title": "Hours", "content": "Nine to five."}).want(t, http.StatusCreated)
	made.check(t, map[string]any{"title": "Hours", "content": "Nine to five.", "url": "", "language": "english"})
	path := "/articles/" + made.str("id")
	c.patch(t, path, map[string]any{"url": "https://shop.example/hours", "language": "german"}).want(t, http.StatusOK)
	c.get(t, path).want(t, http.StatusOK).check(t, map[string]any{"title": "Hours", "content": "Nine to five.", "url": "https://shop.example/hours", "language": "german"})
	if n := len(c.get(t, "/articles").want(t, http.StatusOK).items(t)); n != 2 {
		t.Errorf("%d articles, want 2", n)
	}
	c.do(t, http.MethodDelete, Prefix+path, nil).want(t, http.StatusNoContent)
	c.get(t, path).problem(t, http.StatusNotFound, "not_found")

	for field, body := range map[string]map[string]any{
		"title":    {"content": "x"},
		"content":  {"title": "x", "content": " "},
		"url":      {"title": "x", "content": "x", "url": "javascript:alert(1)"},
		"language": {"title": "x", "content": "x", "language": "klingon"},
	} {
		c.post(t, "/articles", body).badField(t, field)
	}
}

// A text becomes all of its articles, or none.
func TestArticlesOfOneText(t *testing.T) {
	t.Parallel()
	c := newWorld(t).acme.client
	before := len(c.get(t, "/articles").want(t, http.StatusOK).items(t))
	made := c.post(t, "/articles/import", map[string]any{"content": "# Hours\n\nNine to five.\n\n# Returns\n\nFree.", "classification": "INTERNAL"}).want(t, http.StatusCreated).items(t)
	if len(made) != 2 {
		t.Fatalf("%d articles, want 2", len(made))
	}
	for _, body := range []map[string]any{{"content": " "}, {"content": "# Fine\n\nYes.\n\n# " + strings.Repeat("long ", 90) + "\n\nNo."}, {"content": strings.Repeat("# A\n\nb\n\n", 101)}} {
		c.post(t, "/articles/import", body).badField(t, "content")
	}
	if n := len(c.get(t, "/articles").want(t, http.StatusOK).items(t)); n != before+2 {
		t.Errorf("%d articles, want %d", n, before+2)
	}
}
