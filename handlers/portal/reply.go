package portal

import (
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/views"
)

// reply posts a person's words, or with note set a remark for the team. Problems with them come back as the form itself (422);
// with scripts off the browser follows a redirect.
func (p *Portal) reply(w http.ResponseWriter, r *http.Request) error {
	return p.compose(w, r, false)
}

// note posts a remark for the team.
func (p *Portal) note(w http.ResponseWriter, r *http.Request) error {
	return p.compose(w, r, true)
}

func (p *Portal) compose(w http.ResponseWriter, r *http.Request, note bool) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	files, err := postedFiles(w, r)
	if err != nil && domain.CodeOf(err) != domain.CodeAttachmentRejected {
		return err
	}
	written := views.Composer{
		Thread: c.ID, ClientID: r.PostForm.Get("client_id"), Body: r.PostForm.Get("body"), Note: note || r.PostForm.Get("note") != "",
		Draft: domain.TurnID(r.PostForm.Get("draft")),
	}
	if err == nil {
		err = p.attach(r, &written, files)
	}
	if act, turn := draftAct(r); err == nil && turn != "" {
		return p.decideDraft(w, r, c, written, act, turn)
	}
	if err == nil {
		err = p.send(r, c, written)
	}
	if e, ok := errors.AsType[*domain.Error](err); ok && (e.Fields["content"] != "" || e.Code == domain.CodeAttachmentRejected) {
		if written.Problem = e.Fields["content"]; written.Problem == "" {
			written.Refusal = sentence(e.Msg)
		}
		if inPart(r) {
			return render(w, r, http.StatusUnprocessableEntity, views.ComposerForm(written))
		}
		return p.showConversation(w, r, c, &written)
	} else if err != nil {
		return err
	}
	if inPart(r) {
		w.Header().Set("HX-Trigger", "grown") // the page that sent it need not wait for the stream
		return render(w, r, http.StatusOK, views.ComposerForm(views.Composer{Thread: c.ID, ClientID: newClientID(), Fresh: true}))
	}
	return done(w, r, threadURL(r, c.ID))
}

func (p *Portal) send(r *http.Request, c ledger.Conversation, written views.Composer) error {
	who := memberOf(r).User
	ids := make([]domain.AttachmentID, len(written.Files))
	for i, a := range written.Files {
		ids[i] = a.ID
	}
	if written.Note && len(ids) > 0 {
		return domain.RejectAttachment("a note for the team cannot carry files: send them as a reply, or take them out")
	}
	if written.Note {
		_, _, err := p.Chat.AddNote(r.Context(), who, c.ID, written.Body)
		return err
	}
	_, _, err := p.Chat.ReplyFrom(r.Context(), who, c.ID, written.ClientID, written.Body, written.Draft, ids...)
	return err
}
