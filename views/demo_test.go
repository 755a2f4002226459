package views

import (
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/static"
)

func TestDemoEmbedsTheWidgetAsASiteWould(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Demo(`wid_"><script>`).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		`<script async src="/widget.js" data-widget="wid_&#34;&gt;&lt;script&gt;"></script>`,
		`href="` + static.Path("demo/demo.css") + `"`, `href="/"`, "demo@parley.local", "parley-demo",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if n := strings.Count(page, "<script"); n != 2 || !strings.Contains(page, `<script defer src="`+static.Path("demo/demo.js")+`"></script>`) {
		t.Errorf("%d scripts, want the widget's and the page's own", n)
	}
	for _, q := range demoAsk {
		if !strings.Contains(page, `<button type="button">`+q+`</button>`) {
			t.Errorf("nothing to press for %q", q)
		}
	}
	if bad := regexp.MustCompile(`<style|\sstyle=|\son[a-z]+=`).FindString(page); bad != "" {
		t.Errorf("%q breaks the content security policy", bad)
	}
}

// The demo's knowledge articles point to these places of the page.
func TestDemoHelpCanBeLinkedTo(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Demo("wid_x").Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	for _, h := range demoHelp {
		if n := strings.Count(b.String(), `id="`+h.ID+`"`); n != 1 {
			t.Errorf("id %s occurs %d times", h.ID, n)
		}
	}
}
