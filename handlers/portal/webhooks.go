package portal

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

func (p *Portal) listWebhooks(w http.ResponseWriter, r *http.Request) error {
	hooks, err := p.Account.Webhooks(r.Context(), memberOf(r).Organisation.ID)
	if err != nil {
		return err
	}
	frame, err := p.frame(w, r, views.WebhooksSection, "Webhooks")
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.WebhooksPage(views.Webhooks{Frame: frame, Hooks: hooks}))
}

// webhook reads the webhook a path names. Another organisation's does not exist.
func (p *Portal) webhook(r *http.Request) (domain.Webhook, error) {
	id, err := domain.ParseID[domain.WebhookID](chi.URLParam(r, "id"))
	if err != nil {
		return domain.Webhook{}, err
	}
	return p.Account.Webhook(r.Context(), memberOf(r).Organisation.ID, id)
}

// newWebhook shows a form that brings the id of what it will make, so that sending it twice makes one.
func (p *Portal) newWebhook(w http.ResponseWriter, r *http.Request) error {
	form := ui.Form{Values: map[string]string{"enabled": "on", "id": string(ledger.NewID[domain.WebhookID]())}}
	return p.webhookPage(w, r, http.StatusOK, views.WebhookForm{Form: form})
}

const webhookLog = 25 // entries on one page

// webhookPage answers with the page of a webhook, and its log unless it is a new one.
func (p *Portal) webhookPage(w http.ResponseWriter, r *http.Request, status int, page views.WebhookForm) (err error) {
	title, notice := "New webhook", page.Frame.Notice
	if page.Hook.ID != "" {
		title = page.Hook.URL
		before, _ := domain.ParseID[domain.DeliveryID](r.URL.Query().Get("before"))
		page.State, page.Older = views.DeliveryState(r.URL.Query().Get("state")), before != ""
		page.Log, err = p.Account.WebhookDeliveries(r.Context(), page.Hook.OrgID, page.Hook.ID, page.State.Statuses(), before, webhookLog+1)
		if err != nil {
			return err
		}
		if page.More = len(page.Log) > webhookLog; page.More {
			page.Log = page.Log[:webhookLog]
		}
	}
	if page.Frame, err = p.frame(w, r, views.WebhooksSection, title); err != nil {
		return err
	}
	if notice.Text != "" {
		page.Frame.Notice = notice
	}
	return render(w, r, status, views.WebhookPage(page))
}

func webhookInput(r *http.Request) account.WebhookInput {
	in := account.WebhookInput{URL: r.PostForm.Get("url"), Enabled: r.PostForm.Get("enabled") != ""}
	for _, k := range r.PostForm["kinds"] {
		in.Kinds = append(in.Kinds, domain.TimelineKind(k))
	}
	return in
}

// typedWebhook is a form of a webhook that failed, as it was sent.
func typedWebhook(r *http.Request, form ui.Form) ui.Form {
	form = asTyped(r, form)
	form.Values["kinds"] = views.KindValues(webhookInput(r).Kinds)
	return form
}

// createWebhook answers with the page that shows the secret, this once. There is no redirect: a page that can be asked for again
// could show it again. A reload, which sends the form again, finds the webhook made and leads to it.
func (p *Portal) createWebhook(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	org, in := memberOf(r).Organisation.ID, webhookInput(r)
	if id, err := domain.ParseID[domain.WebhookID](r.PostForm.Get("id")); err == nil {
		if h, err := p.Account.Webhook(r.Context(), org, id); err == nil {
			return done(w, r, "/webhooks/"+string(h.ID))
		}
		in.ID = id
	}
	made, err := p.Account.CreateWebhook(r.Context(), org, in)
	if form, ok := problems(err); ok {
		return p.webhookPage(w, r, http.StatusUnprocessableEntity, views.WebhookForm{Form: typedWebhook(r, form)})
	}
	if err != nil {
		return err
	}
	page := views.WebhookForm{Hook: made, Secret: made.Secret, Form: ui.Form{Values: views.WebhookValues(made)}}
	page.Frame.Notice = ui.Notice{Tone: ui.Green, Text: "The webhook is ready. Copy its secret now."}
	return p.webhookPage(w, r, http.StatusOK, page)
}

func (p *Portal) showWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := p.webhook(r)
	if err != nil {
		return err
	}
	return p.webhookPage(w, r, http.StatusOK, views.WebhookForm{Hook: h, Form: ui.Form{Values: views.WebhookValues(h)}})
}

func (p *Portal) updateWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := p.webhook(r)
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	_, err = p.Account.UpdateWebhook(r.Context(), h.OrgID, h.ID, webhookInput(r))
	if form, ok := problems(err); ok {
		return p.webhookPage(w, r, http.StatusUnprocessableEntity, views.WebhookForm{Hook: h, Form: typedWebhook(r, form)})
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "webhook-saved")
	return done(w, r, "/webhooks/"+string(h.ID))
}

// rotateWebhookSecret is rotateSecret for a webhook.
func (p *Portal) rotateWebhookSecret(w http.ResponseWriter, r *http.Request) error {
	h, err := p.webhook(r)
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	page := views.WebhookForm{Hook: h, Form: ui.Form{Values: views.WebhookValues(h)}}
	if r.PostForm.Get("stamp") != views.WebhookStamp(h) {
		page.Frame.Notice = ui.Notice{Tone: ui.Amber, Text: "Nothing was replaced: the webhook has changed since that page was drawn."}
		return p.webhookPage(w, r, http.StatusConflict, page)
	}
	if page.Secret, page.Hook.PreviousUntil, err = p.Account.RotateWebhookSecret(r.Context(), h.OrgID, h.ID); err != nil {
		return err
	}
	page.Frame.Notice = notices["secret-made"]
	return p.webhookPage(w, r, http.StatusOK, page)
}

// leaveWebhookSecret is for whoever comes back to the address at which a secret was made: there is nothing to see.
func (p *Portal) leaveWebhookSecret(w http.ResponseWriter, r *http.Request) error {
	h, err := p.webhook(r)
	if err != nil {
		return err
	}
	return done(w, r, "/webhooks/"+string(h.ID))
}

func (p *Portal) resendDelivery(w http.ResponseWriter, r *http.Request) error {
	h, err := p.webhook(r)
	if err != nil {
		return err
	}
	id, err := domain.ParseID[domain.DeliveryID](chi.URLParam(r, "delivery"))
	if err != nil {
		return err
	}
	if err := p.Account.ResendDelivery(r.Context(), h.OrgID, h.ID, id); err != nil {
		return err
	}
	p.notify(w, r, "webhook-resent")
	return done(w, r, "/webhooks/"+string(h.ID)+"#webhook-log")
}

func (p *Portal) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	h, err := p.webhook(r)
	if err != nil {
		return err
	}
	if err := p.Account.DeleteWebhook(r.Context(), h.OrgID, h.ID); err != nil {
		return err
	}
	p.notify(w, r, "webhook-deleted")
	return done(w, r, "/webhooks")
}
