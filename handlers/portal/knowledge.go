package portal

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

// listArticles shows all articles, and what the search finds for a question if one is asked.
func (p *Portal) listArticles(w http.ResponseWriter, r *http.Request) error {
	org := memberOf(r).Organisation.ID
	page := views.Knowledge{Question: question(r)}
	var err error
	if page.Articles, err = p.Account.ArticleOpenings(r.Context(), org); err != nil {
		return err
	}
	if page.Found, err = p.Account.Ask(r.Context(), org, page.Question); err != nil {
		return err
	}
	if page.Frame, err = p.frame(w, r, views.KnowledgeSection, "Knowledge"); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.KnowledgePage(page))
}

// question is what is asked of the articles, cut where no visitor's question goes on.
func question(r *http.Request) string {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	if runes := []rune(q); len(runes) > 200 {
		return string(runes[:200])
	}
	return q
}

// articlesOf is how many articles an agent of a kind answers from.
func (p *Portal) articlesOf(r *http.Request, kind domain.AgentKind) (int, error) {
	if kind != domain.AgentBuiltin {
		return 0, nil
	}
	articles, err := p.Account.ArticleOpenings(r.Context(), memberOf(r).Organisation.ID)
	return len(articles), err
}

// article reads the article a path names. Another organisation's does not exist.
func (p *Portal) article(r *http.Request) (domain.Article, error) {
	id, err := domain.ParseID[domain.ArticleID](chi.URLParam(r, "id"))
	if err != nil {
		return domain.Article{}, err
	}
	return p.Account.Article(r.Context(), memberOf(r).Organisation.ID, id)
}

// articleForm answers with the form of an article.
func (p *Portal) articleForm(w http.ResponseWriter, r *http.Request, status int, a domain.Article, form ui.Form) error {
	title := a.Title
	if a.ID == "" {
		title = "New article"
	}
	frame, err := p.frame(w, r, views.KnowledgeSection, title)
	if err != nil {
		return err
	}
	return render(w, r, status, views.ArticleFormPage(views.ArticleForm{
		Frame: frame, Article: a, Form: form, Languages: account.Languages(),
	}))
}

// usualLanguage is the one in which somebody wrote an article last, or before there is any, that of whoever asks. In a wrong one an
// article is hardly found.
func (p *Portal) usualLanguage(r *http.Request) (string, error) {
	articles, err := p.Account.ArticleOpenings(r.Context(), memberOf(r).Organisation.ID)
	last := domain.Article{Language: account.PreferredLanguage(r.Header.Get("Accept-Language"))}
	for _, one := range articles {
		if one.UpdatedAt.After(last.UpdatedAt) {
			last = one
		}
	}
	return last.Language, err
}

// newForm is the form for articles that are not there yet.
func (p *Portal) newForm(r *http.Request) (ui.Form, error) {
	language, err := p.usualLanguage(r)
	return ui.Form{Values: map[string]string{"language": language, "classification": string(domain.ClassPublic)}}, err
}

func (p *Portal) newArticle(w http.ResponseWriter, r *http.Request) error {
	language, err := p.usualLanguage(r)
	if err != nil {
		return err
	}
	a := domain.Article{Language: language}
	return p.articleForm(w, r, http.StatusOK, a, ui.Form{Values: views.ArticleValues(a)})
}

// articleInput reads the form of an article.
func articleInput(r *http.Request) account.ArticleInput {
	f := r.PostForm
	return account.ArticleInput{Title: f.Get("title"), URL: f.Get("url"), Content: f.Get("content"), Language: f.Get("language"),
		Classification: domain.Classification(f.Get("classification"))}
}

func (p *Portal) createArticle(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	a, err := p.Account.CreateArticle(r.Context(), memberOf(r).Organisation.ID, articleInput(r))
	if form, ok := problems(err); ok {
		return p.articleForm(w, r, http.StatusUnprocessableEntity, domain.Article{}, asTyped(r, form))
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "article-created")
	return done(w, r, "/knowledge/"+string(a.ID))
}

func (p *Portal) showArticle(w http.ResponseWriter, r *http.Request) error {
	a, err := p.article(r)
	if err != nil {
		return err
	}
	return p.articleForm(w, r, http.StatusOK, a, ui.Form{Values: views.ArticleValues(a)})
}

func (p *Portal) updateArticle(w http.ResponseWriter, r *http.Request) error {
	a, err := p.article(r)
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	_, err = p.Account.UpdateArticle(r.Context(), a.OrgID, a.ID, articleInput(r))
	if form, ok := problems(err); ok {
		return p.articleForm(w, r, http.StatusUnprocessableEntity, a, asTyped(r, form))
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "article-saved")
	return done(w, r, "/knowledge/"+string(a.ID))
}

func (p *Portal) deleteArticle(w http.ResponseWriter, r *http.Request) error {
	a, err := p.article(r)
	if err != nil {
		return err
	}
	if err := p.Account.DeleteArticle(r.Context(), a.OrgID, a.ID); err != nil {
		return err
	}
	p.notify(w, r, "article-deleted")
	return done(w, r, "/knowledge")
}
