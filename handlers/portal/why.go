package portal

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/views"
)

// whyLines is how many lines before a message may be what it answers.
const whyLines = 400

// showWhy is the page that says how one of a thread's messages came about.
func (p *Portal) showWhy(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	id, err := domain.ParseID[domain.MessageID](chi.URLParam(r, "message"))
	if err != nil {
		return err
	}
	m, err := p.Chat.Message(r.Context(), c.OrgID, c.ID, id)
	if err != nil {
		return err
	}
	page, err := p.why(r, c, m)
	if err != nil {
		return err
	}
	list, err := p.list(w, r, views.ContactName(page.Contact), c.ID)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.InboxPage(views.Inbox{Frame: list.Frame, List: list, Why: page}))
}

// why reads all that is on record, whatever its age, and the lines that stand around the message.
func (p *Portal) why(r *http.Request, c ledger.Conversation, m domain.Message) (*views.Why, error) {
	items, err := p.Chat.Timeline(r.Context(), c.OrgID, c.ID)
	if err != nil {
		return nil, err
	}
	around, err := p.Chat.Messages(r.Context(), c.OrgID, c.ID, max(0, m.Seq-whyLines), whyLines)
	if err != nil {
		return nil, err
	}
	open, err := p.around(r, c)
	if err != nil {
		return nil, err
	}
	page := &views.Why{Message: m, Record: views.Record{
		Conversation: *open, Items: items, Widget: c.WidgetName, Lines: make(map[domain.MessageID]string, len(around)),
	}}
	for _, m := range around {
		page.Lines[m.ID] = m.Content
	}
	return page, nil
}

// exportRecord is a thread's whole timeline as a file, in the form the API gives it.
func (p *Portal) exportRecord(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	items, err := p.Chat.Timeline(r.Context(), c.OrgID, c.ID)
	if err != nil {
		return err
	}
	file, err := json.MarshalIndent(map[string]any{"items": items, "next_cursor": nil}, "", "  ")
	if err != nil {
		return &domain.Error{Kind: domain.Internal, Msg: "the timeline could not be written", Err: err}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="timeline-%s.json"`, c.ID))
	_, _ = w.Write(file) // the reader is gone: nothing to do
	return nil
}
