package portal

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/replay"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

func (p *Portal) markGolden(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	var notes []domain.Expectation
	for field := range r.PostForm {
		if seq, is := strings.CutPrefix(field, "note_"); is {
			if n, err := strconv.ParseInt(seq, 10, 64); err == nil {
				notes = append(notes, domain.Expectation{Seq: n, Note: r.PostForm.Get(field)})
			}
		}
	}
	_, err = p.Replays.Mark(r.Context(), c.OrgID, c.ID, notes, memberOf(r).User.Name)
	if form, ok := problems(err); ok {
		form = asTyped(r, form)
		form.Problem, form.Problems = sentence(err.Error()), nil // the page has a field for each answer
		return p.replayForm(w, r, c, http.StatusUnprocessableEntity, nil, &form)
	}
	if err != nil {
		return err
	}
	p.notify(w, r, "golden-made")
	return done(w, r, "/threads/"+string(c.ID)+"/replay")
}

func (p *Portal) unmarkGolden(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if err := p.Replays.Unmark(r.Context(), c.OrgID, c.ID); err != nil && domain.KindOf(err) != domain.NotFound {
		return err
	}
	p.notify(w, r, "golden-gone")
	return done(w, r, "/threads/"+string(c.ID)+"/replay")
}

func (p *Portal) showGolden(w http.ResponseWriter, r *http.Request) error {
	return p.goldenList(w, r, http.StatusOK, ui.Form{})
}

func (p *Portal) goldenList(w http.ResponseWriter, r *http.Request, status int, form ui.Form) error {
	page, err := p.golden(r)
	if err != nil {
		return err
	}
	page.Form = form
	if page.Agents, err = p.Account.Agents(r.Context(), memberOf(r).Organisation.ID); err != nil {
		return err
	}
	if page.Frame, err = p.frame(w, r, views.AgentsSection, "Golden conversations"); err != nil {
		return err
	}
	return render(w, r, status, views.GoldenPage(page))
}

// golden reads what the page shows of the threads.
func (p *Portal) golden(r *http.Request) (views.GoldenList, error) {
	goldens, last, err := p.Replays.Goldens(r.Context(), memberOf(r).Organisation.ID)
	page := views.GoldenList{Frame: views.Frame{Now: present(r)}}
	for _, g := range goldens {
		row := views.GoldenRow{Golden: g}
		if made, has := last[g.ID]; has {
			row.Last = &made
		}
		page.Rows = append(page.Rows, row)
	}
	return page, err
}

// showGoldenRows is the part of the page that changes while replays run.
func (p *Portal) showGoldenRows(w http.ResponseWriter, r *http.Request) error {
	page, err := p.golden(r)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.GoldenRows(page))
}

func (p *Portal) runGolden(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	m := memberOf(r)
	_, err := p.Replays.AskGolden(r.Context(), replay.Order{OrgID: m.Organisation.ID, By: m.User.Name,
		AgentID: domain.AgentID(r.PostForm.Get("agent_id")), JudgeID: domain.AgentID(r.PostForm.Get("judge_agent_id"))})
	if form, ok := problems(err); ok {
		return p.goldenList(w, r, http.StatusUnprocessableEntity, asTyped(r, form))
	}
	if err != nil {
		return err
	}
	return done(w, r, "/golden")
}
