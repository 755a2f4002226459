package portal

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

func (p *Portal) listChatwoots(w http.ResponseWriter, r *http.Request) error {
	org := memberOf(r).Organisation.ID
	all, err := p.Account.Channels(r.Context(), org)
	if err != nil {
		return err
	}
	page := views.Chatwoots{Dead: map[domain.ChannelID]int{}}
	for _, c := range all {
		if c.Kind != domain.ChannelChatwoot {
			continue
		}
		page.Accounts = append(page.Accounts, c)
		dead, err := p.Account.ChatwootDeliveries(r.Context(), org, c.ID, []string{"dead"}, chatwootPosts)
		if err != nil {
			return err
		}
		page.Dead[c.ID] = len(dead)
	}
	if page.Frame, err = p.frame(w, r, views.ChatwootSection, "Chatwoot"); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.ChatwootsPage(page))
}

// chatwoot reads the account a path names. Another organisation's does not exist, nor does a channel of another kind.
func (p *Portal) chatwoot(r *http.Request) (domain.Channel, error) {
	id, err := domain.ParseID[domain.ChannelID](chi.URLParam(r, "id"))
	if err != nil {
		return domain.Channel{}, err
	}
	c, err := p.Account.Channel(r.Context(), memberOf(r).Organisation.ID, id)
	if err == nil && c.Kind != domain.ChannelChatwoot {
		err = domain.NotFoundf("there is no such account")
	}
	return c, err
}

// newChatwoot shows a form that brings the id of what it will make, so that sending it twice makes one.
func (p *Portal) newChatwoot(w http.ResponseWriter, r *http.Request) error {
	form := ui.Form{Values: map[string]string{"name": "chatwoot", "enabled": "on", "signed": "on", "id": string(ledger.NewID[domain.ChannelID]()),
		"config.fallback_text": domain.ChatwootFallback}}
	return p.chatwootPage(w, r, http.StatusOK, views.ChatwootForm{Form: form})
}

const chatwootPosts = 50 // shown on an account's page

// chatwootPage answers with the page of an account, and what waits to be posted there unless it is a new one.
func (p *Portal) chatwootPage(w http.ResponseWriter, r *http.Request, status int, page views.ChatwootForm) (err error) {
	org, title := memberOf(r).Organisation.ID, "New Chatwoot account"
	if page.Agents, err = p.Account.Agents(r.Context(), org); err != nil {
		return err
	}
	if c := page.Account; c.ID != "" {
		title, page.Webhook = c.Name, edge.Origin(p.PublicURL, r)+c.WebhookPath()
		waiting, err := p.Account.ChatwootDeliveries(r.Context(), org, c.ID, []string{"queued", "running", "dead"}, chatwootPosts+1)
		if err != nil {
			return err
		}
		if page.More = len(waiting) > chatwootPosts; page.More {
			waiting = waiting[:chatwootPosts]
		}
		for _, d := range waiting {
			page.Posts = append(page.Posts, views.ChatwootPost{ID: d.ID, Thread: d.ThreadID, Dead: d.Status == "dead", Attempts: d.Attempts, Error: d.LastError, At: d.UpdatedAt})
		}
	}
	if id, err := domain.ParseID[domain.ChannelID](page.Form.Value("id")); err == nil && page.Account.ID == "" { // known before there is anything
		page.Webhook = edge.Origin(p.PublicURL, r) + domain.Channel{ID: id}.WebhookPath()
	}
	if page.Frame, err = p.frame(w, r, views.ChatwootSection, title); err != nil {
		return err
	}
	return render(w, r, status, views.ChatwootPage(page))
}

// chatwootInput is the form as the account service takes it; form has its inboxes closed up, as their problems are numbered.
func chatwootInput(r *http.Request, was domain.Channel) (in account.ChannelInput, form ui.Form) {
	f := r.PostForm
	form = asTyped(r, ui.Form{})
	type inbox struct {
		InboxID string `json:"inbox_id"`
		AgentID string `json:"agent_id,omitempty"`
	}
	inboxes := []inbox{}
	for i := 0; f.Has(views.ChatwootInboxField(i, "inbox_id")) && i < 200; i++ {
		id, agent := views.ChatwootInboxField(i, "inbox_id"), views.ChatwootInboxField(i, "agent_id")
		delete(form.Values, id)
		delete(form.Values, agent)
		if strings.TrimSpace(f.Get(id)) != "" {
			inboxes = append(inboxes, inbox{f.Get(id), f.Get(agent)})
		}
	}
	for i, in := range inboxes {
		form.Values[views.ChatwootInboxField(i, "inbox_id")], form.Values[views.ChatwootInboxField(i, "agent_id")] = in.InboxID, in.AgentID
	}
	config, _ := json.Marshal(map[string]any{"base_url": f.Get("config.base_url"), "account_id": f.Get("config.account_id"),
		"api_access_token": f.Get("config.api_access_token"), "inboxes": inboxes, "fallback_text": f.Get("config.fallback_text")}) // strings only: cannot fail
	in = account.ChannelInput{Name: f.Get("name"), Kind: domain.ChannelChatwoot, AgentID: domain.AgentID(f.Get("agent_id")), Enabled: f.Get("enabled") != "", Config: config}
	if f.Get("signed") != "" {
		if in.Secret = strings.TrimSpace(f.Get("secret")); in.Secret == "" {
			in.Secret = was.Secret
		}
	}
	return in, form
}

// unsigned is the problem of an account that is to take only what is signed, and has nothing to tell that by.
func unsigned(r *http.Request, in account.ChannelInput) error {
	if r.PostForm.Get("signed") != "" && in.Secret == "" {
		return domain.InvalidField("secret", "is needed to tell what is signed")
	}
	return nil
}

func (p *Portal) createChatwoot(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	org := memberOf(r).Organisation.ID
	in, typed := chatwootInput(r, domain.Channel{})
	if id, err := domain.ParseID[domain.ChannelID](r.PostForm.Get("id")); err == nil {
		if c, err := p.Account.Channel(r.Context(), org, id); err == nil {
			return done(w, r, "/chatwoot/"+string(c.ID))
		}
		in.ID = id
	}
	err := unsigned(r, in)
	var made domain.Channel
	if err == nil {
		made, err = p.Account.CreateChannel(r.Context(), org, in)
	}
	if form, ok := problems(err); ok {
		form.Values = typed.Values
		return p.chatwootPage(w, r, http.StatusUnprocessableEntity, views.ChatwootForm{Form: form})
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "chatwoot-created")
	return done(w, r, "/chatwoot/"+string(made.ID))
}

func (p *Portal) showChatwoot(w http.ResponseWriter, r *http.Request) error {
	c, err := p.chatwoot(r)
	if err != nil {
		return err
	}
	return p.chatwootPage(w, r, http.StatusOK, views.ChatwootForm{Account: c, Form: ui.Form{Values: views.ChatwootValues(c)}})
}

func (p *Portal) updateChatwoot(w http.ResponseWriter, r *http.Request) error {
	c, err := p.chatwoot(r)
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	_, typed := chatwootInput(r, c)
	_, err = p.Account.ChangeChannel(r.Context(), c.OrgID, c.ID, func(now domain.Channel) (account.ChannelInput, error) {
		in, _ := chatwootInput(r, now)
		return in, unsigned(r, in)
	})
	if form, ok := problems(err); ok {
		form.Values = typed.Values
		return p.chatwootPage(w, r, http.StatusUnprocessableEntity, views.ChatwootForm{Account: c, Form: form})
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "chatwoot-saved")
	return done(w, r, "/chatwoot/"+string(c.ID))
}

// testChatwoot asks the account, as it is saved, for its inboxes, and shows how that went. It changes nothing.
func (p *Portal) testChatwoot(w http.ResponseWriter, r *http.Request) error {
	c, err := p.chatwoot(r)
	if err != nil {
		return err
	}
	test := p.TryChannel(r.Context(), c)
	if inPart(r) {
		return render(w, r, http.StatusOK, views.ChatwootTestResult(test))
	}
	return p.chatwootPage(w, r, http.StatusOK, views.ChatwootForm{Account: c, Form: ui.Form{Values: views.ChatwootValues(c)}, Test: &test})
}

// retryChatwoot tries all that could not be posted again.
func (p *Portal) retryChatwoot(w http.ResponseWriter, r *http.Request) error {
	c, err := p.chatwoot(r)
	if err != nil {
		return err
	}
	if _, err := p.Account.RetryChatwoot(r.Context(), c.OrgID, c.ID); err != nil {
		return err
	}
	p.notify(w, r, "delivery-retried")
	return done(w, r, "/chatwoot/"+string(c.ID)+"#chatwoot-posts")
}

// retryChatwootPost tries one message again.
func (p *Portal) retryChatwootPost(w http.ResponseWriter, r *http.Request) error {
	c, err := p.chatwoot(r)
	if err != nil {
		return err
	}
	id, err := domain.ParseID[domain.DeliveryID](chi.URLParam(r, "delivery"))
	if err != nil {
		return err
	}
	if _, err := p.Chat.Resend(r.Context(), c.OrgID, id); err != nil {
		return err
	}
	p.notify(w, r, "delivery-retried")
	return done(w, r, "/chatwoot/"+string(c.ID)+"#chatwoot-posts")
}

func (p *Portal) deleteChatwoot(w http.ResponseWriter, r *http.Request) error {
	c, err := p.chatwoot(r)
	if err != nil {
		return err
	}
	if err := p.Account.DeleteChannel(r.Context(), c.OrgID, c.ID); err != nil {
		return err
	}
	p.notify(w, r, "chatwoot-deleted")
	return done(w, r, "/chatwoot")
}
