package portal

import (
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

const (
	pasteBytes = 4 << 20 // of a form with files or much text
	pasteMost  = account.MaxArticlesAtOnce
)

// showPaste is the form for several articles at once.
func (p *Portal) showPaste(w http.ResponseWriter, r *http.Request) error {
	form, err := p.newForm(r)
	if err != nil {
		return err
	}
	return p.pastePage(w, r, http.StatusOK, views.Paste{Form: form})
}

func (p *Portal) pastePage(w http.ResponseWriter, r *http.Request, status int, page views.Paste) error {
	var err error
	if page.Frame, err = p.frame(w, r, views.KnowledgeSection, "Several articles"); err != nil {
		return err
	}
	page.Languages = account.Languages()
	return render(w, r, status, views.PastePage(page))
}

// paste takes a long text or several files apart into articles and shows them; what was looked at is sent back with save set, and stored.
func (p *Portal) paste(w http.ResponseWriter, r *http.Request) error {
	defer edge.BodyWithin(w, formTime)()
	r.Body = http.MaxBytesReader(w, r.Body, pasteBytes)
	if err := r.ParseMultipartForm(pasteBytes); err != nil {
		return &domain.Error{Kind: domain.Invalid, Msg: "that is too much at once, or not a form: at most 4 MB", Err: err}
	}
	if r.PostForm.Get("save") != "" {
		return p.savePasted(w, r)
	}
	found, err := pasted(r)
	if err != nil {
		return err
	}
	page := views.Paste{Form: asTyped(r, ui.Form{})}
	status := http.StatusOK
	switch n := len(found); {
	case n == 0:
		page.Form.Problems, status = map[string]string{"text": "is needed, or a file"}, http.StatusUnprocessableEntity
	case n > pasteMost:
		page.Form.Problem, status = "That is more than a hundred articles at once. Please bring them in parts.", http.StatusUnprocessableEntity
	default:
		for _, in := range found {
			page.Found = append(page.Found, views.Pasted{Title: in.Title, Content: in.Content, URL: in.URL})
		}
	}
	return p.pastePage(w, r, status, page)
}

// pasted is what a form brings: each file an article, and a text parted at its headings.
func pasted(r *http.Request) ([]account.ArticleInput, error) {
	found := account.SplitMarkdown("", r.PostForm.Get("text"))
	for _, h := range r.MultipartForm.File["files"] {
		f, err := h.Open()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		name := path.Base(strings.ReplaceAll(h.Filename, "\\", "/"))
		if in := account.ParseMarkdown(strings.TrimSuffix(name, path.Ext(name)), string(text)); in.Content != "" {
			found = append(found, in)
		}
	}
	return found, nil
}

// savePasted stores all of the articles that were looked at, or with a problem in one of them none.
func (p *Portal) savePasted(w http.ResponseWriter, r *http.Request) error {
	f := r.PostForm
	titles, contents, urls := f["title"], f["content"], f["url"]
	page := views.Paste{Form: asTyped(r, ui.Form{})}
	var all []account.ArticleInput
	for i := range min(len(titles), len(contents), len(urls), pasteMost) {
		if f.Get("drop-"+strconv.Itoa(i)) != "" {
			continue
		}
		in := account.ArticleInput{Title: titles[i], Content: contents[i], URL: urls[i], Language: f.Get("language"), Classification: domain.Classification(f.Get("classification"))}
		all = append(all, in)
		shown := views.Pasted{Title: in.Title, Content: in.Content, URL: in.URL}
		if err := account.CheckArticle(in); err != nil {
			shown.Problem = sentence(edge.ProblemOf(err).Detail)
			page.Form.Problem = "Nothing was saved yet. Mend what is marked below."
		}
		page.Found = append(page.Found, shown)
	}
	if page.Form.Problem != "" {
		return p.pastePage(w, r, http.StatusUnprocessableEntity, page)
	}
	if len(all) == 0 {
		return done(w, r, "/knowledge")
	}
	if _, err := p.Account.CreateArticles(r.Context(), memberOf(r).Organisation.ID, all); err != nil {
		return err
	}
	p.notify(w, r, "articles-created")
	return done(w, r, "/knowledge")
}
