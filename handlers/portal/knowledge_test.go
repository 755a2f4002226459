package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// article writes one into a browser's organisation.
func (w *world) article(b *browser, title, content string) domain.Article {
	w.t.Helper()
	a, err := w.account.CreateArticle(w.t.Context(), b.user.OrgID, account.ArticleInput{Title: title, Content: content})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) articles(b *browser) []domain.Article {
	w.t.Helper()
	all, err := w.account.Articles(w.t.Context(), b.user.OrgID)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestArticleIsWrittenAndChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	want(t, b.page("/knowledge"), "Nothing to answer from yet", "Write the first article", "How an agent uses an article", `aria-current="page"`)
	want(t, b.page("/knowledge/new"), `name="title"`, `name="content"`, `<option value="english" selected>English</option>`, `<option value="simple">Another language</option>`)

	made := b.post("/knowledge", "title", " Parken ", "url", "/hilfe#parken", "content", "Hinter dem **Haus**.\r\n", "language", "german")
	if made.status != http.StatusSeeOther || !strings.HasPrefix(made.to(), "/knowledge/") {
		t.Fatalf("%d to %q\n%s", made.status, made.to(), tidy(made.body))
	}
	page := b.page(made.to())
	want(t, page, "The article is ready.", `value="Parken"`, `value="/hilfe#parken"`, "Hinter dem **Haus**.</textarea>", `<option value="german" selected>`)
	without(t, b.page(made.to()), "The article is ready.")
	want(t, b.page("/knowledge"), "Parken", "Hinter dem Haus.", "/hilfe#parken", "German", "just now")
	want(t, b.page("/knowledge/new"), `<option value="german" selected>`) // who writes German goes on writing German

	saved := b.post(made.to(), "title", "Parkplätze", "url", "", "content", "Im Hof.", "language", "simple")
	if saved.status != http.StatusSeeOther || saved.to() != made.to() {
		t.Fatalf("%d to %q\n%s", saved.status, saved.to(), tidy(saved.body))
	}
	want(t, b.page(made.to()), "Saved.", `value="Parkplätze"`)
	if all := w.articles(b); len(all) != 1 || all[0].Title != "Parkplätze" || all[0].URL != "" || all[0].Content != "Im Hof." || all[0].Language != "simple" {
		t.Errorf("%+v", all)
	}
}

// The longest article there may be fits into a form, also where every character takes nine bytes on the way.
// In the wrong language an article is hardly found: forms begin with that of whoever writes, and then with the one of the article before.
func TestArticlesBeginInTheLanguageOfWhoeverWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	chosen := func(path, accept, language string) {
		t.Helper()
		if a := b.get(path, "Accept-Language", accept); !strings.Contains(a.body, `<option value="`+language+`" selected>`) {
			t.Errorf("%s of somebody who reads %q does not begin in %s", path, accept, language)
		}
	}
	for accept, language := range map[string]string{"de-AT,de;q=0.9,en;q=0.8": "german", "ja, pt-BR;q=0.5": "portuguese", "ja": "english", "": "english", "simple": "english"} {
		for _, path := range []string{"/knowledge/new", "/knowledge/import", "/knowledge/site"} {
			chosen(path, accept, language)
		}
	}
	if a := b.post("/knowledge", "title", "Leveringstijd", "content", "Drie dagen.", "language", "dutch", "classification", "PUBLIC"); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	for _, path := range []string{"/knowledge/new", "/knowledge/import", "/knowledge/site"} {
		chosen(path, "de", "dutch")
	}
}

func TestLongestArticleFitsIntoAForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	words := strings.TrimSpace(strings.Repeat("கப்பல் ", 50_000/7))
	if a := b.post("/knowledge", "title", "கப்பல்", "content", words, "language", "tamil"); a.status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", a.status, tidy(a.body))
	}
	if all := w.articles(b); len(all) != 1 || all[0].Content != words {
		t.Error("it is not what was sent")
	}
}

func TestArticleFormComesBackWithItsProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	existing := w.article(b, "Parking", "Behind the house.")
	for _, path := range []string{"/knowledge", "/knowledge/" + string(existing.ID)} {
		a := b.post(path, "title", "", "url", "javascript:alert(1)", "content", "</textarea><script>alert(1)</script>", "language", "klingon")
		if a.status != http.StatusUnprocessableEntity {
			t.Fatalf("POST %s: %d", path, a.status)
		}
		want(t, a.body, "Nothing was saved yet.", "Title is needed", "Address must start with", "Language must", `value="javascript:alert(1)"`,
			"&lt;/textarea&gt;&lt;script&gt;", `aria-invalid="true"`)
		without(t, a.body, "<script>alert", `href="javascript:`)
	}
	if all := w.articles(b); len(all) != 1 || all[0].Title != "Parking" || all[0].Content != "Behind the house." {
		t.Errorf("a form that failed changed %+v", all)
	}
}

func TestArticlesOfOthersDoNotExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, eve := w.owner("Acme"), w.owner("Evil")
	ours := w.article(b, "Parking", "Behind the house.")
	path := "/knowledge/" + string(ours.ID)
	for _, a := range []answer{
		eve.get(path), eve.post(path, "title", "Mine", "content", "now", "language", "english"), eve.post(path + "/delete"),
		b.get("/knowledge/nonsense"), b.get("/knowledge/" + string(eve.user.ID)),
	} {
		if a.status != http.StatusNotFound {
			t.Errorf("%d\n%s", a.status, tidy(a.body))
		}
	}
	w.article(eve, "About us", "We are evil.")
	without(t, eve.page("/knowledge?q=parking"), "Parking", "Behind")
	if all := w.articles(b); len(all) != 1 || all[0].Title != "Parking" {
		t.Errorf("%+v", all)
	}
	if a := w.browser().get("/knowledge"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.to(), "/signin") {
		t.Errorf("nobody in particular: %d to %q", a.status, a.to())
	}
}

func TestQuestionShowsWhatWouldBeFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	parking := w.article(b, "Parking", "# Cars\n\nYou can park **behind** the house. It is free.")
	w.article(b, "Repairs", "We repair bicycles on Mondays.")
	without(t, b.page("/knowledge"), "The search finds", "Nothing would be found")
	want(t, b.page("/knowledge?q="+url.QueryEscape("where can I park?")), "The search finds one article", `href="/knowledge/`+string(parking.ID)+`">Parking</a></h3>`,
		"park behind the house", `value="where can I park?"`)
	for _, q := range []string{"do you sell helicopters?", `"><script>alert(1)</script>`, "a\x00b\xff", strings.Repeat("ö", 5000)} {
		page := b.page("/knowledge?q=" + url.QueryEscape(q))
		want(t, page, "Nothing would be found", "offers a person")
		without(t, page, "<script>alert", strings.Repeat("ö", 201))
	}
}

func TestArticleIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	path := "/knowledge/" + string(w.article(b, "Parking", "Behind the house.").ID)
	want(t, b.page(path), "Yes, delete Parking")
	if a := b.post(path + "/delete"); a.status != http.StatusSeeOther || a.to() != "/knowledge" {
		t.Fatalf("%d to %q", a.status, a.to())
	}
	want(t, b.page("/knowledge"), "The article is deleted.", "Nothing to answer from yet")
	if a := b.get(path); a.status != http.StatusNotFound {
		t.Errorf("%d", a.status)
	}
}

func TestOthersTellOfTheKnowledge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.owner("Acme")
	agent := "/agents/" + string(w.agent(b, "Ada").ID)
	const written = `done:</span></span><div><h3><a href="/knowledge/new"`
	want(t, b.page(agent), "there is none yet", `href="/knowledge/new"`)
	without(t, b.page("/inbox"), written)
	want(t, b.page("/inbox"), `href="/knowledge/new" hx-boost="false">Write down what it should know`)
	w.article(b, "Parking", "Behind the house.")
	want(t, b.page(agent), `It answers from <a href="/knowledge">one article</a>`)
	want(t, b.page("/inbox"), written)
	w.article(b, "Repairs", "On Mondays.")
	want(t, b.page(agent), `<a href="/knowledge">2 articles</a>`)
	without(t, b.page("/agents/new?kind=websocket"), "It answers from")
}
