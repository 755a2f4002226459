package views

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"github.com/parley-chat/parley/static"
)

// TestGallery holds every page in every state to what HTML, accessibility and the content security policy ask. With
// PARLEY_GALLERY set to a folder it also writes them there, with their style sheet, to be looked at.
func TestGallery(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("PARLEY_GALLERY")
	if dir != "" {
		writeAssets(t, dir)
	}
	for name, page := range gallery() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			if err := page.Render(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			if dir != "" {
				write(t, filepath.Join(dir, name+".html"), []byte(b.String()))
			}
			tags := balanced(t, b.String())
			uniqueIDs(t, tags, true)
			namedControls(t, tags)
			strictPolicy(t, tags)
			worksWithoutScripts(t, tags)
			cursorOnProblem(t, tags)
			if n := count(tags, "h1"); n != 1 {
				t.Errorf("%d h1 elements, want one", n)
			}
			if strings.Contains(b.String(), "<script>alert") || strings.Contains(b.String(), "<img src=x") {
				t.Error("hostile text reached the page as markup")
			}
		})
	}
}

// tag is a start tag with what encloses it.
type tag struct {
	html.Token
	within []html.Token
	text   string // what follows it directly
}

func (g tag) attr(name string) (string, bool) {
	for _, a := range g.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func (g tag) get(name string) string {
	v, _ := g.attr(name)
	return v
}

var void = []string{"meta", "link", "input", "br", "hr", "img"}

// balanced fails unless every element is closed in order, and returns the start tags.
func balanced(t *testing.T, page string) []*tag {
	t.Helper()
	var tags []*tag
	var open []html.Token
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		tok := z.Token()
		switch {
		case kind == html.StartTagToken || kind == html.SelfClosingTagToken:
			tags = append(tags, &tag{Token: tok, within: slices.Clone(open)})
			if kind == html.StartTagToken && !slices.Contains(void, tok.Data) {
				open = append(open, tok)
			}
		case kind == html.EndTagToken:
			if len(open) == 0 || open[len(open)-1].Data != tok.Data {
				t.Fatalf("</%s> closes nothing; open are %v", tok.Data, open)
			}
			open = open[:len(open)-1]
		case kind == html.TextToken && len(tags) > 0:
			tags[len(tags)-1].text += tok.Data
		}
	}
	if len(open) > 0 {
		t.Errorf("never closed: %v", open)
	}
	return tags
}

func count(tags []*tag, name string) (n int) {
	for _, g := range tags {
		if g.Data == name {
			n++
		}
	}
	return n
}

// uniqueIDs fails on an id that stands twice and, on a whole page, on a reference to one that does not exist.
func uniqueIDs(t *testing.T, tags []*tag, whole bool) {
	t.Helper()
	ids := map[string]bool{}
	for _, g := range tags {
		if id, ok := g.attr("id"); ok {
			if ids[id] || id == "" {
				t.Errorf("id %q is empty or stands twice", id)
			}
			ids[id] = true
		}
	}
	for _, g := range tags {
		for _, ref := range []string{"for", "aria-describedby", "aria-labelledby", "data-copy"} {
			for _, id := range strings.Fields(g.get(ref)) {
				if whole && !ids[id] {
					t.Errorf("%s=%q on <%s> names nothing", ref, id, g.Data)
				}
			}
		}
	}
}

// namedControls fails on a control that a screen reader would have no name for.
func namedControls(t *testing.T, tags []*tag) {
	t.Helper()
	labelled := map[string]bool{}
	for _, g := range tags {
		if g.Data == "label" {
			labelled[g.get("for")] = true
		}
	}
	for _, g := range tags {
		switch g.Data {
		case "input", "select", "textarea":
			if g.get("type") != "hidden" && g.get("aria-label") == "" && !labelled[g.get("id")] {
				t.Errorf("<%s name=%q> has no label", g.Data, g.get("name"))
			}
		case "button":
			if g.get("type") == "" {
				t.Errorf("a button without a type submits whatever form it is in: %v", g.Attr)
			}
		case "iframe":
			if g.get("title") == "" {
				t.Error("iframe without a title")
			}
		}
	}
}

// strictPolicy fails on whatever default-src 'self' would block.
func strictPolicy(t *testing.T, tags []*tag) {
	t.Helper()
	for _, g := range tags {
		if g.Data == "style" || g.Data == "script" && (g.get("src") == "" || strings.TrimSpace(g.text) != "") {
			t.Errorf("inline <%s>", g.Data)
		}
		for _, a := range g.Attr {
			evaluated := strings.HasPrefix(a.Key, "hx-") && (strings.HasPrefix(a.Val, "js:") || strings.HasPrefix(a.Val, "javascript:"))
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || evaluated ||
				a.Key == "hx-trigger" && strings.Contains(a.Val, "[") {
				t.Errorf("%s=%q on <%s> needs what the policy forbids", a.Key, a.Val, g.Data)
			}
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") && strings.HasPrefix(strings.ToLower(a.Val), "javascript:") {
				t.Errorf("%s=%q", a.Key, a.Val)
			}
		}
	}
}

// worksWithoutScripts fails on a form that only a script could send.
func worksWithoutScripts(t *testing.T, tags []*tag) {
	t.Helper()
	for _, g := range tags {
		if g.Data != "form" {
			continue
		}
		if g.get("action") == "" || g.get("method") == "" {
			t.Errorf("form without method or action: %v", g.Attr)
		}
		if post := g.get("hx-post"); post != "" && post != g.get("action") {
			t.Errorf("form posts to %q with scripts and to %q without", post, g.get("action"))
		}
		for _, outer := range g.within {
			if outer.Data == "form" {
				t.Errorf("form within a form: %v", g.Attr)
			}
		}
	}
}

// cursorOnProblem fails if two elements want the cursor, or if another one than the first wrong field of a form gets it.
func cursorOnProblem(t *testing.T, tags []*tag) {
	t.Helper()
	focused, wrong := "", ""
	for _, g := range tags {
		if _, ok := g.attr("autofocus"); ok {
			if focused != "" {
				t.Errorf("%s and %s both want the cursor", focused, g.get("id"))
			}
			focused = g.get("id")
		}
		if g.get("aria-invalid") == "true" && wrong == "" {
			wrong = g.get("id")
		}
	}
	if wrong != "" && focused != wrong {
		t.Errorf("the cursor is on %q, the first wrong field is %q", focused, wrong)
	}
}

// TestFragments holds what htmx fetches on its own to the same rules.
func TestFragments(t *testing.T) {
	t.Parallel()
	list := listing(TabWaiting, inboxRows())
	list.Next = "c"
	fragments := map[string]string{}
	for name, c := range map[string]templ.Component{
		"list": ThreadListUpdate(list), "rows": MoreThreads(list, 30), "lines": LinesUpdate(*talk()),
		"composer": ComposerForm(Composer{Thread: "t", ClientID: "c", Fresh: true}), "items": RecordUpdate(*everyItem()),
		"widget": WidgetCard(WidgetRow{Widget: shopWidget()}),
	} {
		var b strings.Builder
		if err := c.Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		fragments[name] = b.String()
		tags := balanced(t, b.String())
		uniqueIDs(t, tags, false) // what they refer to is on the page
		namedControls(t, tags)
		strictPolicy(t, tags)
	}
	if !strings.Contains(fragments["lines"], `hx-target="#conversation-head"`) || strings.Contains(fragments["lines"], "<textarea") {
		t.Error("a refresh of the lines must bring the head and must leave the composer alone")
	}
	if !strings.Contains(fragments["list"], "<title>(3) Inbox · Parley</title>") {
		t.Error("a refresh of the list must bring the title")
	}
}

func writeAssets(t *testing.T, dir string) {
	t.Helper()
	for _, name := range static.Names() {
		write(t, filepath.Join(dir, static.Path(name)), static.Body(name))
	}
}

func write(t *testing.T, path string, body []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		t.Fatal(err)
	}
}
