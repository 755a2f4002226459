package portal

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

func (p *Portal) keyRoutes(r chi.Router) {
	r.Get("/settings/keys", p.page(forOwners(p.listKeys)))
	r.Post("/settings/keys", p.page(forOwners(p.createKey)))
	r.Post("/settings/keys/{id}/revoke", p.page(forOwners(p.revokeKey)))
}

// listKeys shows the keys and a form that brings the id of the next one, so that sending it twice makes one.
func (p *Portal) listKeys(w http.ResponseWriter, r *http.Request) error {
	return p.keysPage(w, r, http.StatusOK, views.Keys{Form: freshKey()})
}

func freshKey() ui.Form {
	return ui.Form{Values: map[string]string{"id": string(ledger.NewID[domain.APIKeyID]()), "scope": string(domain.ScopeRead), "days": "365"}}
}

func (p *Portal) keysPage(w http.ResponseWriter, r *http.Request, status int, page views.Keys) (err error) {
	notice := page.Frame.Notice
	if page.Keys, err = p.Account.APIKeys(r.Context(), memberOf(r).Organisation.ID); err != nil {
		return err
	}
	if page.Frame, err = p.frame(w, r, views.SettingsSection, "API keys"); err != nil {
		return err
	}
	if notice.Text != "" {
		page.Frame.Notice = notice
	}
	page.Address = edge.Origin(p.PublicURL, r)
	return render(w, r, status, views.KeysPage(page))
}

// createKey answers with the page that shows the key, this once, as createWebhook does with a secret.
func (p *Portal) createKey(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	org := memberOf(r).Organisation.ID
	in := account.APIKeyInput{Name: r.PostForm.Get("name"), Scope: domain.Scope(r.PostForm.Get("scope"))}
	if id, err := domain.ParseID[domain.APIKeyID](r.PostForm.Get("id")); err == nil {
		if _, err := p.Account.APIKey(r.Context(), org, id); err == nil { // a reload
			return done(w, r, "/settings/keys")
		}
		in.ID = id
	}
	if days, err := strconv.Atoi(r.PostForm.Get("days")); err == nil && days > 0 && days <= 36500 {
		in.ExpiresAt = time.Now().AddDate(0, 0, days)
	}
	key, made, err := p.Account.CreateAPIKey(r.Context(), org, in)
	if form, ok := problems(err); ok {
		return p.keysPage(w, r, http.StatusUnprocessableEntity, views.Keys{Form: asTyped(r, form)})
	}
	if err != nil {
		return err
	}
	page := views.Keys{Made: made, Secret: key, Form: freshKey()}
	page.Frame.Notice = ui.Notice{Tone: ui.Green, Text: "The key is ready. Copy it now."}
	return p.keysPage(w, r, http.StatusOK, page)
}

func (p *Portal) revokeKey(w http.ResponseWriter, r *http.Request) error {
	id, err := domain.ParseID[domain.APIKeyID](chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if err := p.Account.DeleteAPIKey(r.Context(), memberOf(r).Organisation.ID, id); err != nil {
		return err
	}
	p.notify(w, r, "key-revoked")
	return done(w, r, "/settings/keys")
}
