package portal

import (
	"net/http"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/views"
)

// draftAct is which of a draft's buttons was pressed, and the turn that drafted it. The buttons belong to the composer's form, so that
// whatever is half typed there comes along.
func draftAct(r *http.Request) (act string, turn domain.TurnID) {
	for _, act := range []string{"use", "edit", "discard"} {
		if turn := r.PostForm.Get(act); turn != "" {
			return act, domain.TurnID(turn)
		}
	}
	return "", ""
}

// decideDraft sends an agent's draft, puts it into the composer, or throws it away. What was typed before stays in the composer. A draft
// that another has overtaken is left as it is, with a word about it.
func (p *Portal) decideDraft(w http.ResponseWriter, r *http.Request, c ledger.Conversation, written views.Composer, act string, turn domain.TurnID) error {
	var err error
	switch act {
	case "use":
		_, _, err = p.Chat.SendSuggestion(r.Context(), memberOf(r).User, c.ID, turn)
	case "edit":
		written, err = p.takeUp(r, c, written, turn)
	case "discard":
		err = p.Chat.Discard(r.Context(), memberOf(r).User, c.ID, turn)
	}
	kept := views.Composer{Thread: c.ID, ClientID: newClientID(), Body: written.Body, Note: written.Note, Draft: written.Draft, Files: written.Files, Fresh: true}
	switch {
	case err != nil && domain.KindOf(err) == domain.Conflict:
		kept.Problem = "is untouched: that draft is no longer the one that waits, look again above"
	case err != nil && domain.KindOf(err) == domain.Invalid:
		kept.Problem = "is untouched: the draft is too long to be sent as it is, edit it first"
	case err != nil:
		return err
	}
	if inPart(r) {
		w.Header().Set("HX-Trigger", "grown")
		return render(w, r, http.StatusOK, views.ComposerForm(kept))
	}
	if strings.TrimSpace(kept.Body) == "" && kept.Problem == "" && len(kept.Files) == 0 {
		return done(w, r, threadURL(r, c.ID))
	}
	if c, err = p.opened(r, string(c.ID)); err != nil { // as it is now
		return err
	}
	return p.showConversation(w, r, c, &kept)
}

// takeUp puts a draft behind what is typed already.
func (p *Portal) takeUp(r *http.Request, c ledger.Conversation, written views.Composer, turn domain.TurnID) (views.Composer, error) {
	d, err := p.Chat.Suggestion(r.Context(), c.OrgID, c.ID)
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return written, err
	}
	if err != nil || d.Turn != turn {
		return written, domain.Conflictf("that draft is no longer the one that waits")
	}
	written.Draft = turn
	switch typed := strings.TrimSpace(written.Body); {
	case typed == "":
		written.Body = d.Content
	case !strings.Contains(typed, d.Content):
		written.Body = strings.TrimRight(written.Body, " \r\n") + "\n\n" + d.Content
	}
	return written, nil
}
