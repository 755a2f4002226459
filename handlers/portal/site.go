package portal

import (
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

// showSite is the form that has a site read, and what became of the last one.
func (p *Portal) showSite(w http.ResponseWriter, r *http.Request) error {
	form, err := p.newForm(r)
	if err != nil {
		return err
	}
	return p.sitePage(w, r, http.StatusOK, form)
}

func (p *Portal) sitePage(w http.ResponseWriter, r *http.Request, status int, form ui.Form) error {
	last, err := p.lastSite(r)
	if err != nil {
		return err
	}
	if form.Values["sitemap"] == "" && form.Problems == nil {
		form.Values["sitemap"] = last.Sitemap
	}
	page := views.Site{Form: form, Languages: account.Languages(), Last: last}
	if page.Frame, err = p.frame(w, r, views.KnowledgeSection, "A whole site"); err != nil {
		return err
	}
	return render(w, r, status, views.SitePage(page))
}

// lastSite is the zero one if there never was any.
func (p *Portal) lastSite(r *http.Request) (domain.SiteImport, error) {
	last, err := p.Account.SiteImport(r.Context(), memberOf(r).Organisation.ID)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		err = nil
	}
	return last, err
}

// siteProgress is how far it has come, alone.
func (p *Portal) siteProgress(w http.ResponseWriter, r *http.Request) error {
	last, err := p.lastSite(r)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.SiteProgress(last))
}

// readSite has a site read. While one is being read the form says so.
func (p *Portal) readSite(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	f := r.PostForm
	err := p.Account.StartSiteImport(r.Context(), memberOf(r).Organisation.ID, domain.SiteImport{
		Sitemap: f.Get("sitemap"), Language: f.Get("language"), Classification: domain.Classification(f.Get("classification"))})
	if form, ok := problems(err); ok {
		return p.sitePage(w, r, http.StatusUnprocessableEntity, asTyped(r, form))
	}
	if err != nil {
		return err
	}
	return done(w, r, "/knowledge/site")
}
