package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

func (p *Portal) listAgents(w http.ResponseWriter, r *http.Request) error {
	org := memberOf(r).Organisation.ID
	agents, err := p.Account.Agents(r.Context(), org)
	if err != nil {
		return err
	}
	uses, err := p.Account.AgentUses(r.Context(), org)
	if err != nil {
		return err
	}
	healths, err := p.Account.AgentHealths(r.Context(), org)
	if err != nil {
		return err
	}
	page := views.Agents{Kinds: domain.AgentKinds()}
	for _, a := range agents {
		use := uses[a.ID]
		row := views.AgentRow{Agent: a, Widgets: use.Widgets, LastSuccess: use.LastSuccessAt, Health: healths[a.ID]}
		if use.LastErrorAt.After(use.LastSuccessAt) {
			row.LastError = sentence(use.LastError)
		}
		page.Rows = append(page.Rows, row)
	}
	if page.Frame, err = p.frame(w, r, views.AgentsSection, "Agents"); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.AgentsPage(page))
}

// newAgent asks for the kind first, then shows the form for it.
func (p *Portal) newAgent(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("kind") == "" {
		frame, err := p.frame(w, r, views.AgentsSection, "New agent")
		if err != nil {
			return err
		}
		return render(w, r, http.StatusOK, views.AgentKinds(views.Agents{Frame: frame, Kinds: domain.AgentKinds()}))
	}
	kind, err := offered(r.URL.Query().Get("kind"))
	if err != nil {
		return err
	}
	a := domain.NewAgent("", "", kind)
	return p.agentForm(w, r, http.StatusOK, a, ui.Form{Values: views.AgentValues(a)}, nil)
}

// offered is a kind that agents can be of.
func offered(name string) (domain.AgentKind, error) {
	kind := domain.AgentKind(name)
	if !slices.Contains(domain.AgentKinds(), kind) {
		return "", domain.NotFoundf("there is no such kind of agent")
	}
	return kind, nil
}

// agentForm answers with the form of an agent.
func (p *Portal) agentForm(w http.ResponseWriter, r *http.Request, status int, a domain.Agent, form ui.Form, test *domain.AgentTest) error {
	title := a.Name
	var widgets []string
	var health views.AgentHealth
	if a.ID == "" {
		title = "New agent"
	} else {
		uses, err := p.Account.AgentUses(r.Context(), a.OrgID)
		if err != nil {
			return err
		}
		widgets = uses[a.ID].Widgets
		if health, err = p.health(r, a, uses[a.ID]); err != nil {
			return err
		}
	}
	articles, err := p.articlesOf(r, a.Kind)
	if err != nil {
		return err
	}
	frame, err := p.frame(w, r, views.AgentsSection, title)
	if err != nil {
		return err
	}
	return render(w, r, status, views.AgentFormPage(views.AgentForm{
		Frame: frame, Agent: a, Form: form, Widgets: widgets, Articles: articles, Test: test, Health: health,
	}))
}

// agent reads the agent a path names. Another organisation's does not exist.
func (p *Portal) agent(r *http.Request) (domain.Agent, error) {
	id, err := domain.ParseID[domain.AgentID](chi.URLParam(r, "id"))
	if err != nil {
		return domain.Agent{}, err
	}
	return p.Account.Agent(r.Context(), memberOf(r).Organisation.ID, id)
}

// agentInput reads the form of an agent of a kind, which the form cannot change once it is made.
func agentInput(r *http.Request, kind domain.AgentKind) account.AgentInput {
	f := r.PostForm
	return account.AgentInput{
		Name: f.Get("name"), Kind: kind, Enabled: f.Get("enabled") != "", SendMode: domain.SendMode(f.Get("send_mode")),
		SettleMS: numberOf(f.Get("settle_ms")), MaxAttempts: numberOf(f.Get("max_attempts")),
		MaxConcurrent: numberIfGiven(f, "max_concurrent"), GiveUpSeconds: numberIfGiven(f, "give_up_seconds"), Config: domain.FormConfig(kind, f),
	}
}

// numberOf reads a number of a form. What is none is -1, which no field allows: the service says what it wants there.
func numberOf(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// numberIfGiven is numberOf for a field that a form may leave out: 0 means that nothing was said.
func numberIfGiven(f url.Values, name string) int {
	if !f.Has(name) {
		return 0
	}
	if n := numberOf(f.Get(name)); n != 0 {
		return n
	}
	return -1
}

// asTyped is a form that failed, as it was sent.
func asTyped(r *http.Request, form ui.Form) ui.Form {
	form.Values = map[string]string{}
	for name := range r.PostForm {
		form.Values[name] = r.PostForm.Get(name)
	}
	return form
}

func (p *Portal) createAgent(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	kind, err := offered(r.PostForm.Get("kind"))
	if err != nil {
		return err
	}
	in := agentInput(r, kind)
	a, err := p.Account.CreateAgent(r.Context(), memberOf(r).Organisation.ID, in)
	if form, ok := problems(err); ok {
		return p.agentForm(w, r, http.StatusUnprocessableEntity, domain.NewAgent("", in.Name, in.Kind), asTyped(r, form), nil)
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "agent-created")
	return done(w, r, "/agents/"+string(a.ID))
}

func (p *Portal) showAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := p.agent(r)
	if err != nil {
		return err
	}
	return p.agentForm(w, r, http.StatusOK, a, ui.Form{Values: views.AgentValues(a)}, nil)
}

func (p *Portal) updateAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := p.agent(r)
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	_, err = p.Account.UpdateAgent(r.Context(), a.OrgID, a.ID, agentInput(r, a.Kind))
	if form, ok := problems(err); ok {
		return p.agentForm(w, r, http.StatusUnprocessableEntity, a, asTyped(r, form), nil)
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "agent-saved")
	return done(w, r, "/agents/"+string(a.ID))
}

// testAgent asks the agent, as it is saved, one question, and shows how that went. It changes nothing.
func (p *Portal) testAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := p.agent(r)
	if err != nil {
		return err
	}
	test := p.TryAgent(r.Context(), a)
	if inPart(r) {
		return render(w, r, http.StatusOK, views.AgentTestResult(test))
	}
	return p.agentForm(w, r, http.StatusOK, a, ui.Form{Values: views.AgentValues(a)}, &test)
}

// health is how an agent is doing, for its own page.
func (p *Portal) health(r *http.Request, a domain.Agent, use account.AgentUse) (views.AgentHealth, error) {
	all, err := p.Account.AgentHealths(r.Context(), a.OrgID)
	if err != nil {
		return views.AgentHealth{}, err
	}
	events, err := p.Account.AgentEvents(r.Context(), a.OrgID, a.ID)
	h := views.AgentHealth{AgentHealth: all[a.ID], LastSuccess: use.LastSuccessAt, LastError: sentence(use.LastError), LastErrorAt: use.LastErrorAt}
	for _, e := range events {
		h.Events = append(h.Events, views.AgentEvent{Kind: e.Kind, At: e.CreatedAt, Error: sentence(detail(domain.TimelineItem{Detail: e.Detail}, "error"))})
	}
	return h, err
}

// probeAgent asks an agent whose circuit is open whether it is back. If it is, it gets the turns that wait for it.
func (p *Portal) probeAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := p.agent(r)
	if err != nil {
		return err
	}
	test := p.TryAgent(r.Context(), a)
	if !test.OK {
		return p.agentForm(w, r, http.StatusOK, a, ui.Form{Values: views.AgentValues(a)}, &test)
	}
	if err := p.Account.AgentAnswered(r.Context(), a.OrgID, a.ID); err != nil {
		return err
	}
	p.Relay.Work(time.Time{})
	p.notify(w, r, "agent-back")
	return done(w, r, "/agents/"+string(a.ID))
}

func (p *Portal) deleteAgent(w http.ResponseWriter, r *http.Request) error {
	a, err := p.agent(r)
	if err != nil {
		return err
	}
	if err := p.Account.DeleteAgent(r.Context(), a.OrgID, a.ID); err != nil {
		return err
	}
	p.notify(w, r, "agent-deleted")
	return done(w, r, "/agents")
}
