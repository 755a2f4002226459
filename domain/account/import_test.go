package account_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

func TestParseMarkdown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]account.ArticleInput{
		"---\ntitle: \"Delivery: how\"\nurl: https://a.example/x\nlanguage: de\nclassification: internal\n---\n# Lieferung\r\nDrei Tage.": {
			Title: "Delivery: how", URL: "https://a.example/x", Language: "german", Classification: "internal", Content: "# Lieferung\nDrei Tage."},
		"\ufeff# The title #\n\nWords.":      {Title: "The title", Content: "Words."},
		"Words only.":                        {Title: "name", Content: "Words only."},
		"---\nno end\n\n# T":                 {Title: "name", Content: "---\nno end\n\n# T"},
		"---\ntitle:\n---\n":                 {Title: "name"},
		"---\nlanguage: klingon\n---\nqapla": {Title: "name", Language: "klingon", Content: "qapla"},
	} {
		if got := account.ParseMarkdown("name", text); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

func TestSplitMarkdown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"# A\none\n\n# B\ntwo":                      "A=one|B=two",
		"# Help\nintro\n\n## A\none\n## B\ntwo":     "All=# Help\nintro|A=one|B=two",
		"just words":                                "All=just words",
		"## A\none\n### deeper\nmore":               "A=one\n### deeper\nmore",
		"# A\n```\n# not one\n# nor this\n```\nend": "A=```\n# not one\n# nor this\n```\nend",
		"":              "",
		"# A\n# B\ntwo": "B=two",
	} {
		var got []string
		for _, a := range account.SplitMarkdown("All", text) {
			got = append(got, a.Title+"="+a.Content)
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("%q: %q, want %q", text, s, want)
		}
	}
}

const helpPage = `<!doctype html><html lang="de-AT"><head><title>Hilfe · Shop</title><style>x{}</style></head><body><nav>Menu</nav><main>
<h1>Versand  und <em>Kosten</em></h1><p>Drei <strong>Tage</strong>, siehe <a href="/agb">AGB</a> oder <a href="javascript:x">x</a>.</p>
<ul><li>Eins</li><li>Zwei <b>fett</b></li></ul><table><tr><th>Land</th><th>Preis</th></tr><tr><td>DE</td><td>5 €</td></tr></table>
<pre>code  here</pre><script>alert(1)</script><div hidden>secret</div><form>Newsletter</form></main><footer>Impressum</footer></body></html>`

func TestParsePage(t *testing.T) {
	t.Parallel()
	got, err := account.ParsePage("https://shop.example/help/", strings.NewReader(helpPage))
	if err != nil || got.Title != "Versand und Kosten" || got.Language != "german" || got.URL != "https://shop.example/help/" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, want := range []string{"Drei **Tage**, siehe [AGB](https://shop.example/agb) oder x.", "- Eins\n- Zwei **fett**", "| Land | Preis |\n|---|---|\n| DE | 5 € |", "```\ncode  here\n```"} {
		if !strings.Contains(got.Content, want) {
			t.Errorf("lacks %q:\n%s", want, got.Content)
		}
	}
	for _, not := range []string{"Menu", "alert", "secret", "Newsletter", "Impressum", "javascript", "Versand"} {
		if strings.Contains(got.Content, not) {
			t.Errorf("has %q:\n%s", not, got.Content)
		}
	}
}

// A site is read as its sitemap names it, and nothing of another host, whatever sitemap or redirect leads there.
func TestSiteStaysOnItsHost(t *testing.T) {
	t.Parallel()
	var reached []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached = append(reached, r.URL.Path) }))
	t.Cleanup(elsewhere.Close)
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	mux.HandleFunc("/sitemap.xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>%s/more.xml</loc></sitemap><sitemap><loc>%s/evil.xml</loc></sitemap></sitemapindex>`, site.URL, elsewhere.URL)
	})
	mux.HandleFunc("/more.xml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<urlset><url><loc>%[1]s/a</loc></url><url><loc> %[1]s/a </loc></url><url><loc>%[1]s/away</loc></url><url><loc>%[1]s/moved</loc></url><url><loc>%[2]s/page</loc></url><url><loc>%[1]s/gone</loc></url><url><loc>%[1]s/big</loc></url><url><loc>file:///etc/passwd</loc></url></urlset>`, site.URL, elsewhere.URL)
	})
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, helpPage)
	}
	mux.HandleFunc("/a", page)
	mux.HandleFunc("/here", page)
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/here", http.StatusMovedPermanently)
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/stolen", http.StatusFound)
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, strings.Repeat("<p>big</p>", 300_000))
	})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s := account.Site{Client: client}
	pages, failed, prefix, err := s.Read(t.Context(), site.URL+"/sitemap.xml", nil)
	if err != nil || len(pages) != 2 || pages[0].Source != site.URL+"/a" || pages[1].Source != site.URL+"/moved" || prefix != site.URL+"/" {
		t.Errorf("%+v, %q, %v", pages, prefix, err)
	}
	if len(failed) != 3 || !strings.Contains(failed[site.URL+"/away"], "another host") || !strings.Contains(failed[site.URL+"/big"], "larger") {
		t.Errorf("failed %v", failed)
	}
	if len(reached) != 0 {
		t.Errorf("another host was asked for %v", reached)
	}
	for _, bad := range []string{"<html>", "", "<urlset></urlset>"} {
		if _, _, _, err := (&account.Site{Client: client}).Read(t.Context(), "", []byte(bad)); err == nil {
			t.Errorf("%q is taken for a sitemap", bad)
		}
	}
}

func TestImportIsIdempotentAndFailsAlone(t *testing.T) {
	t.Parallel()
	tn := newTenant(t)
	s, org := tn.Service, tn.org
	in := []account.Import{
		{Source: "file:a.md", ArticleInput: account.ArticleInput{Title: "A", Content: "one"}},
		{Source: "file:b.md", ArticleInput: account.ArticleInput{Title: "B", Content: "two", Classification: domain.ClassInternal}},
		{Source: "file:c.md", ArticleInput: account.ArticleInput{Title: "", Content: "three"}},
	}
	check := func(added, updated, unchanged, failed int) {
		t.Helper()
		got, err := s.ImportArticles(t.Context(), org, in)
		if err != nil || got.Added != added || got.Updated != updated || got.Unchanged != unchanged || len(got.Failed) != failed {
			t.Errorf("%+v, %v", got, err)
		}
	}
	check(2, 0, 0, 1)
	check(0, 0, 2, 1)
	in[0].Content = "one and a half"
	check(0, 1, 1, 1)
	gone, err := s.PruneArticles(t.Context(), org, account.FileSource, in[:1])
	if err != nil || len(gone) != 1 || gone[0] != "file:b.md" {
		t.Errorf("%v, %v", gone, err)
	}
}
