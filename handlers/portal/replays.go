package portal

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/replay"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

// replayRoutes are the pages of replays: all of the team reads them, owners make them.
func (p *Portal) replayRoutes(r chi.Router) {
	r.Get("/threads/{id}/replay", p.page(p.showReplayForm))
	r.Post("/threads/{id}/replay", p.page(forOwners(p.createReplay)))
	r.Post("/threads/{id}/golden", p.page(forOwners(p.markGolden)))
	r.Post("/threads/{id}/golden/remove", p.page(forOwners(p.unmarkGolden)))
	r.Get("/replays/{id}", p.page(p.showReplay))
	r.Get("/golden", p.page(p.showGolden))
	r.Post("/golden/run", p.page(forOwners(p.runGolden)))
}

func (p *Portal) showReplayForm(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	return p.replayForm(w, r, c, http.StatusOK, nil, nil)
}

// replayForm answers with the page on which a replay is ordered; a form that failed comes back in it.
func (p *Portal) replayForm(w http.ResponseWriter, r *http.Request, c ledger.Conversation, status int, order, notes *ui.Form) error {
	page := views.ReplayForm{Thread: c.ID}
	var err error
	if page.Agents, err = p.Account.Agents(r.Context(), c.OrgID); err != nil {
		return err
	}
	if page.Past, err = p.Replays.Replays(r.Context(), c.OrgID, c.ID); err != nil {
		return err
	}
	if page.Tape, err = p.Replays.Tape(r.Context(), c.OrgID, c.ID); err != nil {
		return err
	}
	golden, err := p.Replays.Golden(r.Context(), c.OrgID, c.ID)
	if page.Golden = err == nil; err != nil && domain.KindOf(err) != domain.NotFound {
		return err
	}
	if page.Form = startOrder(page); order != nil {
		page.Form = *order
	}
	if page.Notes = notesOf(golden); notes != nil {
		page.Notes = *notes
	}
	if page.Frame, err = p.frame(w, r, views.InboxSection, "Replay"); err != nil {
		return err
	}
	return render(w, r, status, views.ReplayFormPage(page))
}

// startOrder is the form as it begins: the agent that answered last, with the instructions it has.
func startOrder(page views.ReplayForm) ui.Form {
	chosen := page.Tape.Bound
	for _, x := range page.Tape.Exchanges {
		if x.Agent != "" {
			chosen = x.Agent
		}
	}
	form := ui.Form{Values: map[string]string{"agent_id": string(chosen)}}
	for _, a := range page.Agents {
		if a.ID == chosen {
			form.Values["instructions_of"], form.Values["instructions"] = string(a.ID), instructionsOf(a)
		}
	}
	return form
}

func instructionsOf(a domain.Agent) string {
	if a.Kind != domain.AgentOpenAI {
		return ""
	}
	config, err := domain.ParseOpenAIConfig(a.Config)
	if err != nil {
		return ""
	}
	return config.SystemPrompt
}

func notesOf(g domain.Golden) ui.Form {
	form := ui.Form{Values: map[string]string{}}
	for _, x := range g.Tape.Exchanges {
		form.Values[views.NoteField(x.ToSeq)] = x.Note
	}
	return form
}

func (p *Portal) createReplay(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	order, err := p.replayOrder(r, c.OrgID)
	if err != nil {
		return err
	}
	made, err := p.Replays.Ask(r.Context(), c.ID, order)
	if form, ok := problems(err); ok {
		form = asTyped(r, form)
		return p.replayForm(w, r, c, http.StatusUnprocessableEntity, &form, nil)
	}
	if err != nil {
		return err
	}
	return done(w, r, "/replays/"+string(made.ID))
}

// replayOrder reads the form. Instructions count as others only if they are not those that the form began with, and not the
// chosen agent's own.
func (p *Portal) replayOrder(r *http.Request, org domain.OrgID) (replay.Order, error) {
	f := r.PostForm
	o := replay.Order{OrgID: org, AgentID: domain.AgentID(f.Get("agent_id")), JudgeID: domain.AgentID(f.Get("judge_agent_id")),
		Drift: f.Get("drift") != "", By: memberOf(r).User.Name}
	if model := strings.TrimSpace(f.Get("model")); model != "" {
		o.Override.Model = &model
	}
	given := strings.TrimSpace(strings.ReplaceAll(f.Get("instructions"), "\r\n", "\n"))
	if given == "" {
		return o, nil
	}
	agents, err := p.Account.Agents(r.Context(), org)
	if err != nil {
		return o, err
	}
	for _, a := range agents {
		if (a.ID == o.AgentID || string(a.ID) == f.Get("instructions_of")) && strings.TrimSpace(instructionsOf(a)) == given {
			return o, nil
		}
	}
	o.Override.Instructions = &given
	return o, nil
}

func (p *Portal) replay(r *http.Request) (domain.Replay, error) {
	id, err := domain.ParseID[domain.ReplayID](chi.URLParam(r, "id"))
	if err != nil {
		return domain.Replay{}, err
	}
	return p.Replays.Replay(r.Context(), memberOf(r).Organisation.ID, id)
}

func (p *Portal) showReplay(w http.ResponseWriter, r *http.Request) error {
	made, err := p.replay(r)
	if err != nil {
		return err
	}
	frame, err := p.frame(w, r, views.InboxSection, "Replay")
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.ReplayPage(views.ReplayResult{Frame: frame, Replay: made}))
}

// showReplayAnswers is the part of a replay's page that changes.
func (p *Portal) showReplayAnswers(w http.ResponseWriter, r *http.Request) error {
	made, err := p.replay(r)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.ReplayAnswers(views.ReplayResult{Replay: made}))
}
