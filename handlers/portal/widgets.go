package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

func (p *Portal) listWidgets(w http.ResponseWriter, r *http.Request) error {
	org := memberOf(r).Organisation.ID
	widgets, err := p.Account.Widgets(r.Context(), org)
	if err != nil {
		return err
	}
	agents, err := p.Account.Agents(r.Context(), org)
	if err != nil {
		return err
	}
	var page views.Widgets
	for _, one := range widgets {
		page.Rows = append(page.Rows, views.WidgetRow{Widget: one, Agent: bound(agents, one.AgentID)})
	}
	if page.Frame, err = p.frame(w, r, views.WidgetsSection, "Widgets"); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.WidgetsPage(page))
}

// bound is the agent with an id, the zero one if there is none.
func bound(agents []domain.Agent, id domain.AgentID) domain.Agent {
	i := slices.IndexFunc(agents, func(a domain.Agent) bool { return a.ID == id })
	if i < 0 {
		return domain.Agent{}
	}
	return agents[i]
}

// widget reads the widget a path names. Another organisation's does not exist.
func (p *Portal) widget(r *http.Request) (domain.Widget, error) {
	id, err := domain.ParseID[domain.WidgetID](chi.URLParam(r, "id"))
	if err != nil {
		return domain.Widget{}, err
	}
	return p.Account.Widget(r.Context(), memberOf(r).Organisation.ID, id)
}

// widgetForm answers with the form of a widget.
func (p *Portal) widgetForm(w http.ResponseWriter, r *http.Request, status int, one domain.Widget, form ui.Form) error {
	return p.widgetPage(w, r, status, views.WidgetForm{Widget: one, Form: form})
}

// widgetPage is widgetForm for a page that knows more: the identity secret right after it was made, or a notice.
func (p *Portal) widgetPage(w http.ResponseWriter, r *http.Request, status int, page views.WidgetForm) error {
	agents, err := p.Account.Agents(r.Context(), memberOf(r).Organisation.ID)
	if err != nil {
		return err
	}
	title := page.Widget.Name
	if page.Widget.ID == "" {
		title = "New widget"
	}
	notice := page.Frame.Notice
	if page.Frame, err = p.frame(w, r, views.WidgetsSection, title); err != nil {
		return err
	}
	if notice.Text != "" {
		page.Frame.Notice = notice
	}
	if _, given := page.Form.Values["hours.timezone"]; !given { // most owners mean their own
		page.Form.Values["hours.timezone"] = zoneName(r)
	}
	page.Agents, page.PublicURL = agents, edge.Origin(p.PublicURL, r)
	return render(w, r, status, views.WidgetFormPage(page))
}

// newWidget shows a form with the defaults, and the organisation's agent bound if there is one to choose.
func (p *Portal) newWidget(w http.ResponseWriter, r *http.Request) error {
	agents, err := p.Account.Agents(r.Context(), memberOf(r).Organisation.ID)
	if err != nil {
		return err
	}
	d := p.Account.DefaultWidget()
	one := domain.Widget{Name: d.Name, Enabled: d.Enabled, WebchatEnabled: d.WebchatEnabled, Appearance: d.Appearance}
	if len(agents) > 0 {
		one.AgentID = agents[0].ID
	}
	return p.widgetForm(w, r, http.StatusOK, one, ui.Form{Values: views.WidgetValues(one)})
}

// widgetInput reads the form of a widget.
func widgetInput(r *http.Request) account.WidgetInput {
	f := r.PostForm
	texts := map[string]string{}
	for _, name := range domain.WidgetTexts {
		texts[name] = f.Get("texts." + name)
	}
	return account.WidgetInput{
		Hours: hoursInput(f), OfflineForm: f.Get("offline_form") != "", Texts: texts,
		Name: f.Get("name"), Enabled: f.Get("enabled") != "", AgentID: domain.AgentID(f.Get("agent_id")), WebchatEnabled: f.Get("webchat_enabled") != "",
		AllowedOrigins: strings.Split(f.Get("allowed_origins"), "\n"),
		DailyCap:       numberOf(f.Get("daily_message_cap")), RateMessages: numberOf(f.Get("rate.messages")), RateWindowSecs: numberOf(f.Get("rate.window_seconds")),
		RequireIdentity: f.Get("require_identity") != "", HandoffAfterSeconds: numberIfGiven(f, "handoff_after_seconds"), WaitingText: f.Get("waiting_text"), FallbackText: f.Get("fallback_text"),
		AttachmentsEnabled: f.Get("attachments_enabled") != "",
		Appearance: domain.Appearance{
			Title: f.Get("appearance.title"), Greeting: f.Get("appearance.greeting"),
			PrimaryColor: f.Get("appearance.primary_color"), TextColor: f.Get("appearance.text_color"),
			Position: f.Get("appearance.position"), Locale: f.Get("appearance.locale"),
			ContactInfoMode: f.Get("appearance.contact_info_mode"), Collect: f["appearance.collect"],
		},
	}
}

// hoursInput reads the opening hours of a form: nil where no day has any. What cannot be read is handed on, for the check to refuse.
func hoursInput(f url.Values) *domain.Hours {
	h := domain.Hours{Timezone: strings.TrimSpace(f.Get("hours.timezone")), Week: map[string][][2]string{}}
	for _, day := range domain.Weekdays {
		given := strings.TrimSpace(f.Get("hours." + day))
		if given == "" {
			continue
		}
		spans, ok := domain.ParseSpans(given)
		if !ok {
			spans = [][2]string{{given, ""}}
		}
		h.Week[day] = spans
	}
	if len(h.Week) == 0 && f.Get("hours.set") == "" {
		return nil
	}
	return &h
}

// typedWidget is a form of a widget that failed, as it was sent.
func typedWidget(r *http.Request, form ui.Form) ui.Form {
	form = asTyped(r, form)
	form.Values["appearance.collect"] = strings.Join(r.PostForm["appearance.collect"], ",")
	return form
}

// createWidget makes a widget from the few fields that a new one has; the rest are the defaults.
func (p *Portal) createWidget(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	given, in := widgetInput(r), p.Account.DefaultWidget()
	in.Name, in.AgentID, in.WebchatEnabled, in.AllowedOrigins = given.Name, given.AgentID, given.WebchatEnabled, given.AllowedOrigins
	in.Appearance.Title, in.Appearance.Greeting, in.Appearance.Position = given.Appearance.Title, given.Appearance.Greeting, given.Appearance.Position
	in.Appearance.PrimaryColor, in.Appearance.TextColor = given.Appearance.PrimaryColor, given.Appearance.TextColor
	made, err := p.Account.CreateWidget(r.Context(), memberOf(r).Organisation.ID, in)
	if form, ok := problems(err); ok {
		return p.widgetForm(w, r, http.StatusUnprocessableEntity, domain.Widget{}, typedWidget(r, form))
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "widget-created")
	return done(w, r, "/widgets/"+string(made.ID))
}

func (p *Portal) showWidget(w http.ResponseWriter, r *http.Request) error {
	one, err := p.widget(r)
	if err != nil {
		return err
	}
	return p.widgetForm(w, r, http.StatusOK, one, ui.Form{Values: views.WidgetValues(one)})
}

func (p *Portal) updateWidget(w http.ResponseWriter, r *http.Request) error {
	one, err := p.widget(r)
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	_, err = p.Account.UpdateWidget(r.Context(), one.OrgID, one.ID, widgetInput(r))
	if form, ok := problems(err); ok {
		return p.widgetForm(w, r, http.StatusUnprocessableEntity, one, typedWidget(r, form))
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "widget-saved")
	return done(w, r, "/widgets/"+string(one.ID))
}

// switchTrigger turns the agent in a widget on or off, from the list.
func (p *Portal) switchTrigger(w http.ResponseWriter, r *http.Request) error {
	one, err := p.widget(r)
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	one, err = p.Account.SetWebchat(r.Context(), one.OrgID, one.ID, r.PostForm.Get("on") != "")
	if err != nil {
		return err
	}
	if !inPart(r) {
		return done(w, r, "/widgets")
	}
	agents, err := p.Account.Agents(r.Context(), one.OrgID)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.WidgetCard(views.WidgetRow{Widget: one, Agent: bound(agents, one.AgentID)}))
}

// rotateSecret makes a new identity secret and answers with the page that shows it, this once. There is no redirect: a page that
// can be asked for again could show it again. The form names the state of the widget it was drawn for, so that a reload, which
// sends it again, does not end the secret that has just been copied.
func (p *Portal) rotateSecret(w http.ResponseWriter, r *http.Request) error {
	one, err := p.widget(r)
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	page := views.WidgetForm{Widget: one, Form: ui.Form{Values: views.WidgetValues(one)}}
	if r.PostForm.Get("stamp") != views.Stamp(one) {
		page.Frame.Notice = notices["secret-kept"]
		return p.widgetPage(w, r, http.StatusConflict, page)
	}
	if page.Secret, page.Widget.PreviousUntil, err = p.Account.RotateIdentitySecret(r.Context(), one.OrgID, one.ID); err != nil {
		return err
	}
	page.Frame.Notice = notices["secret-made"]
	return p.widgetPage(w, r, http.StatusOK, page)
}

// leaveSecret is for whoever comes back to the address at which a secret was made: there is nothing to see.
func (p *Portal) leaveSecret(w http.ResponseWriter, r *http.Request) error {
	one, err := p.widget(r)
	if err != nil {
		return err
	}
	return done(w, r, "/widgets/"+string(one.ID))
}

// endSecret makes the secret of before the last rotation worthless.
func (p *Portal) endSecret(w http.ResponseWriter, r *http.Request) error {
	one, err := p.widget(r)
	if err != nil {
		return err
	}
	if err := p.Account.EndPreviousSecret(r.Context(), one.OrgID, one.ID); err != nil {
		return err
	}
	p.notify(w, r, "secret-ended")
	return done(w, r, "/widgets/"+string(one.ID))
}

func (p *Portal) deleteWidget(w http.ResponseWriter, r *http.Request) error {
	one, err := p.widget(r)
	if err != nil {
		return err
	}
	if err := p.Account.DeleteWidget(r.Context(), one.OrgID, one.ID); err != nil {
		return err
	}
	p.notify(w, r, "widget-deleted")
	return done(w, r, "/widgets")
}

// previewWidget is a page with the real widget on it, for the frame beside the form.
func (p *Portal) previewWidget(w http.ResponseWriter, r *http.Request) error {
	one, err := p.widget(r)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.WidgetPreview(one))
}
