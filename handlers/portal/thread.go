package portal

import (
	"context"
	"net/http"
	"sync"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
)

// opened reads the thread a path or query names. Another organisation's does not exist.
func (p *Portal) opened(r *http.Request, id string) (ledger.Conversation, error) {
	thread, err := domain.ParseID[domain.ThreadID](id)
	if err != nil {
		return ledger.Conversation{}, err
	}
	c, err := p.Chat.Conversation(r.Context(), memberOf(r).Organisation.ID, thread)
	if err != nil && domain.KindOf(err) == domain.NotFound || err == nil && !c.Begun() {
		return c, domain.NotFoundf("there is no such conversation")
	}
	return c, err
}

func (p *Portal) showThread(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if c.MergedInto != "" {
		p.notify(w, r, "thread-joined")
		return done(w, r, "/threads/"+string(c.MergedInto))
	}
	if err != nil {
		return err
	}
	return p.showConversation(w, r, c, nil)
}

// showConversation answers with the page of a thread; a composer that was sent and goes on comes back in it.
func (p *Portal) showConversation(w http.ResponseWriter, r *http.Request, c ledger.Conversation, kept *views.Composer) error {
	open, err := p.conversation(r, c)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if kept != nil {
		open.Composer.Body, open.Composer.Problem, open.Composer.Note, open.Composer.Draft = kept.Body, kept.Problem, kept.Note, kept.Draft
		open.Composer.Files, open.Composer.Refusal = kept.Files, kept.Refusal
		if kept.Problem != "" || kept.Refusal != "" {
			status = http.StatusUnprocessableEntity
		}
	}
	list, err := p.list(w, r, views.ContactName(open.Contact), c.ID)
	if err != nil {
		return err
	}
	return render(w, r, status, views.InboxPage(views.Inbox{Frame: list.Frame, List: list, Thread: open}))
}

// showLines is what was said, from the first line the browser shows, with whatever changes beside it.
func (p *Portal) showLines(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if c.MergedInto != "" {
		w.Header().Set("HX-Redirect", "/threads/"+string(c.MergedInto))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	open, err := p.conversation(r, c)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.LinesUpdate(*open))
}

// streamThread says grown when the thread has new messages, changed when it changed hands or was read, inbox when something
// happened in any thread, and typing with the name of a visitor who writes.
func (p *Portal) streamThread(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	p.stream(w, r, "inbox", func(ctx context.Context, out *edge.Stream) {
		ctx, cancel := context.WithCancel(ctx)
		var inbox sync.WaitGroup
		defer inbox.Wait()
		defer cancel()
		inbox.Go(func() {
			defer cancel()
			p.sayChanged(ctx, c.OrgID, out, "inbox")
		})
		for u, err := range p.Relay.Follow(ctx, c.OrgID, c.ID, c.LastSeq) {
			if err != nil {
				edge.LogFailure(ctx, p.Log, r, http.StatusOK, err)
				return
			}
			if h := u.Hint; h != nil && h.On && h.Author.Kind == domain.AuthorVisitor {
				h.Author.Name = p.calls(ctx, c)
			}
			event, data := hint(u)
			if event != "" && !out.Send(event, "", data) {
				return
			}
		}
	})
	return nil
}

// calls is what the team calls the visitor of a thread, who may have told their name since it was opened.
func (p *Portal) calls(ctx context.Context, c ledger.Conversation) string {
	contact, err := p.Chat.Contact(ctx, c.OrgID, c.ContactID)
	if err != nil {
		contact = contactOf(c)
	}
	return views.ContactName(contact)
}

// moved is a handler that changes who has a thread. A thread that has moved on meanwhile is shown as it is now: that says
// all there is to say.
func (p *Portal) moved(move func(context.Context, domain.User, domain.ThreadID) (domain.Thread, error)) edge.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := p.opened(r, chi.URLParam(r, "id"))
		if err != nil {
			return err
		}
		if _, err := move(r.Context(), memberOf(r).User, c.ID); err != nil && domain.KindOf(err) != domain.Conflict {
			return err
		}
		return done(w, r, threadURL(r, c.ID))
	}
}

// threadURL is a thread's page, beside the same selection of threads as the request had.
func threadURL(r *http.Request, id domain.ThreadID) string {
	return "/threads/" + string(id) + selection(r).Search()
}

// read records that somebody has seen the thread up to a line.
func (p *Portal) read(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	if err := p.Chat.Read(r.Context(), memberOf(r).User, c.ID, atoi(r.PostForm.Get("seq"))); err != nil {
		return err
	}
	return quietly(w, r, c.ID)
}

// typing shows the visitor that somebody writes a reply, or with an empty field on that they stopped.
func (p *Portal) typing(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if err := posted(w, r); err != nil {
		return err
	}
	if err := p.Chat.Writes(r.Context(), memberOf(r).User, c.ID, r.PostForm.Get("on") != ""); err != nil {
		return err
	}
	return quietly(w, r, c.ID)
}

// mailTranscript has what was said mailed to the contact.
func (p *Portal) mailTranscript(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if err := p.Chat.MailTranscript(r.Context(), memberOf(r).User, c.ID); err != nil {
		return err
	}
	p.notify(w, r, "transcript-mailed")
	return done(w, r, threadURL(r, c.ID))
}

// resend brings on its way again what did not arrive.
func (p *Portal) resend(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	id, err := domain.ParseID[domain.DeliveryID](chi.URLParam(r, "delivery"))
	if err != nil {
		return err
	}
	d, err := p.Chat.Delivery(r.Context(), c.OrgID, id)
	if err != nil {
		return err
	}
	if d.ThreadID != c.ID || d.Transport == ledger.TransportWebhook { // webhooks are for owners
		return domain.NotFoundf("there is no such delivery in this conversation")
	}
	if _, err := p.Chat.Resend(r.Context(), c.OrgID, id); err != nil && domain.KindOf(err) != domain.Conflict { // somebody else was faster
		return err
	}
	p.notify(w, r, "delivery-retried")
	return done(w, r, threadURL(r, c.ID))
}

// quietly answers what a script sent by itself with nothing; a form leads back to the thread.
func quietly(w http.ResponseWriter, r *http.Request, id domain.ThreadID) error {
	if inPart(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return done(w, r, threadURL(r, id))
}
