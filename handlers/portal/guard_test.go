package portal_test

import (
	"net/http"
	"strings"
	"testing"
)

// everyForm is each POST of the portal with ids that are put in, and fields that would be good.
var everyForm = []struct {
	path   string
	fields []string
}{
	{"/threads/{thread}/reply", []string{"client_id", "c1", "body", "Hello"}},
	{"/threads/{thread}/note", []string{"body", "Hello"}},
	{"/threads/{thread}/takeover", nil},
	{"/threads/{thread}/handback", nil},
	{"/threads/{thread}/close", nil},
	{"/threads/{thread}/read", []string{"seq", "1"}},
	{"/threads/{thread}/typing", nil},
	{"/agents", []string{"kind", "builtin", "name", "Ava", "send_mode", "autonomous", "settle_ms", "0", "max_attempts", "3"}},
	{"/agents/{agent}", []string{"kind", "builtin", "name", "Ava", "send_mode", "autonomous", "settle_ms", "0", "max_attempts", "3"}},
	{"/agents/{agent}/test", nil},
	{"/agents/{agent}/delete", nil},
	{"/widgets", []string{"name", "Help", "appearance.title", "Hi", "appearance.primary_color", "#000000", "appearance.text_color", "#ffffff", "appearance.position", "bottom_left"}},
	{"/widgets/{widget}", goodWidget},
	{"/widgets/{widget}/trigger", []string{"on", ""}},
	{"/widgets/{widget}/secret", nil},
	{"/widgets/{widget}/delete", nil},
	{"/team/invitations", []string{"email", "ben@example.com", "role", "member"}},
	{"/account", []string{"name", "Eve"}},
	{"/account/password", []string{"current", "x", "password", "a good long sentence"}},
	{"/signout", nil},
}

// everyPage is each GET that names something.
var everyPage = []string{
	"/threads/{thread}", "/threads/{thread}/messages", "/threads/{thread}/stream", "/threads/{thread}/timeline", "/threads/{thread}/timeline/items",
	"/inbox/list?thread={thread}", "/agents/{agent}", "/widgets/{widget}", "/widgets/{widget}/preview",
}

// ids makes an organisation's things and returns what puts their ids into a path.
func ids(w *world, b *browser) *strings.Replacer {
	w.t.Helper()
	agent := w.agent(b, "Ada")
	widget := w.widget(b, agent.ID)
	v := w.visitor(widget)
	return strings.NewReplacer("{thread}", string(w.says(&v, "Hello?")), "{agent}", string(agent.ID), "{widget}", string(widget.ID))
}

func TestAnotherOrganisationsThingsDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, eve := w.owner("Acme"), w.owner("Evil")
	theirs := ids(w, acme)
	before := acme.page(theirs.Replace("/threads/{thread}/timeline"))
	for _, f := range everyForm {
		if !strings.Contains(f.path, "{") {
			continue
		}
		if a := eve.post(theirs.Replace(f.path), f.fields...); a.status != http.StatusNotFound {
			t.Errorf("POST %s: %d", f.path, a.status)
		}
	}
	for _, path := range everyPage {
		a := eve.get(theirs.Replace(path))
		if a.status != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, a.status)
		}
		without(t, a.body, "Hello?")
	}
	if after := acme.page(theirs.Replace("/threads/{thread}/timeline")); strings.Count(after, "happening-title") != strings.Count(before, "happening-title") {
		t.Error("somebody else's forms left something in the thread")
	}
	want(t, eve.page("/inbox"), "Put the chat on your site")
	want(t, eve.page("/agents"), "No agent yet")
	want(t, eve.page("/widgets"), "No widget yet")
}

func TestOddIDsDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	for _, id := range []string{"x", "0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11", "%3Cscript%3E", "..", "0199B0F2-7C1E-7A54-B1DE-2F6F6F1F4C11"} {
		for _, path := range []string{"/threads/", "/agents/", "/widgets/"} {
			a := b.get(path + id)
			if a.status != http.StatusNotFound {
				t.Errorf("GET %s%s: %d", path, id, a.status)
			}
			without(t, a.body, "<script>")
		}
	}
	want(t, b.get("/no/such/page").body, "There is nothing here", "Go to the inbox")
	want(t, b.get("/no/such/page", "Accept", "application/json").body, `"code":"not_found"`)
}

func TestCrossSiteFormsAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	mine := ids(w, b)
	for _, f := range everyForm {
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Sec-Fetch-Site", "same-site"},
			{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		} {
			a := b.send(http.MethodPost, mine.Replace(f.path), form(f.fields...), header...)
			if a.status != http.StatusForbidden {
				t.Errorf("POST %s with %v: %d", f.path, header, a.status)
			}
		}
	}
	if a := b.get("/inbox"); a.status != http.StatusOK {
		t.Errorf("signed out by another site: %d", a.status)
	}
	want(t, b.page(mine.Replace("/threads/{thread}")), "Ada answers")
}

// What somebody typed is not lost because they were signed out meanwhile; what is secret is not sent back.
func TestFormsOfWhoWasSignedOutKeepWhatWasTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	if a := b.post("/signout"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	a := b.post("/knowledge", "title", "Delivery", "content", "Three <b>days</b>.\nOr four.", "language", "english", "classification", "PUBLIC", "config.api_key", "sk-hidden")
	if a.status != http.StatusUnauthorized {
		t.Fatalf("%d to %q", a.status, a.to())
	}
	want(t, a.body, "You were signed out", `action="/knowledge"`, `name="content" value="Three &lt;b&gt;days&lt;/b&gt;.`, `name="title" value="Delivery"`)
	without(t, a.body, "sk-hidden")
}

func TestSignedOutNobodyGetsIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := ids(w, w.owner("Acme"))
	b := w.browser()
	for _, f := range everyForm {
		a := b.post(mine.Replace(f.path), f.fields...)
		if kept := len(f.fields) > 0 && f.path != "/signout" && f.path != "/account/password"; kept && a.status != http.StatusUnauthorized || !kept && (a.status != http.StatusSeeOther || a.to() != "/signin") {
			t.Errorf("POST %s: %d to %q", f.path, a.status, a.to())
		}
	}
	for _, path := range append(everyPage, "/", "/inbox", "/inbox/list", "/inbox/stream", "/agents", "/agents/new", "/widgets", "/widgets/new") {
		a := b.get(mine.Replace(path))
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.to(), "/signin") {
			t.Errorf("GET %s: %d to %q", path, a.status, a.to())
		}
		part := b.get(mine.Replace(path), "HX-Request", "true", "HX-Current-URL", b.base+"/threads/7")
		if part.status != http.StatusUnauthorized || part.header.Get("HX-Redirect") != "/signin?next=%2Fthreads%2F7" {
			t.Errorf("GET %s by htmx: %d to %q", path, part.status, part.header.Get("HX-Redirect"))
		}
	}
	if a := b.get("/inbox/stream", "Accept", "text/event-stream"); a.status != http.StatusUnauthorized {
		t.Errorf("a stream: %d", a.status)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	mine := ids(w, b)
	for path, frames := range map[string]string{
		"/inbox": "'none'", mine.Replace("/threads/{thread}"): "'none'", "/no/such/page": "'none'",
		mine.Replace("/widgets/{widget}/preview"): "'self'",
	} {
		h := b.get(path).header
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors "+frames) {
			t.Errorf("%s: policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Vary"), "HX-Request") {
			t.Errorf("%s: %v", path, h)
		}
	}
	if h := b.get("/favicon.svg").header; h.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("favicon: %v", h)
	}
}
