package portal_test

import (
	"net/http"
	"testing"
)

func TestSiteIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	want(t, b.page("/knowledge"), `href="/knowledge/site"`)
	want(t, b.page("/knowledge/site"), `action="/knowledge/site"`)
	a := b.post("/knowledge/site", "sitemap", "ftp://acme.example/", "language", "english", "classification", "PUBLIC")
	if a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	}
	want(t, a.body, `value="ftp://acme.example/"`, "must be an address")
	ask := func() answer {
		return b.post("/knowledge/site", "sitemap", "https://acme.example/sitemap.xml", "language", "english", "classification", "PUBLIC")
	}
	if a := ask(); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	want(t, ask().body, "A site is being read already.")
	want(t, b.page("/knowledge/site"), "https://acme.example/sitemap.xml", "The sitemap is being read", `hx-get="/knowledge/site/progress"`)
	part := b.page("/knowledge/site/progress")
	want(t, part, "The sitemap is being read")
	without(t, part, "<html")
	without(t, eve.page("/knowledge/site"), "acme.example")
	without(t, eve.page("/knowledge/site/progress"), "acme.example")
}
