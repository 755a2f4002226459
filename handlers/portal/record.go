package portal

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/views"
)

const (
	recordPart = 100 // happenings on a page of the flight recorder
	recordMost = 400 // on one that has grown while somebody looked
)

// showRecord is the flight recorder's page.
func (p *Portal) showRecord(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	record, err := p.record(r, c)
	if err != nil {
		return err
	}
	list, err := p.list(w, r, views.ContactName(record.Contact), c.ID)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.InboxPage(views.Inbox{Frame: list.Frame, List: list, Record: record}))
}

// showHappenings is the recorder's items, with whatever changes beside them.
func (p *Portal) showHappenings(w http.ResponseWriter, r *http.Request) error {
	c, err := p.opened(r, chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	record, err := p.record(r, c)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.RecordUpdate(*record))
}

// record reads the part of the record that a request wants: the latest, the one before a place, or from a place on what has come.
func (p *Portal) record(r *http.Request, c ledger.Conversation) (*views.Record, error) {
	q := r.URL.Query()
	want := ledger.TimelinePart{Before: q.Get("before"), From: q.Get("from"), Most: recordPart}
	if want.From != "" {
		want.Most = recordMost
	}
	part, messages, err := p.Chat.Recorded(r.Context(), c.OrgID, c.ID, want)
	if err != nil {
		return nil, err
	}
	open, err := p.around(r, c)
	if err != nil {
		return nil, err
	}
	record := &views.Record{
		Conversation: *open, Items: part.Items, Begin: part.Begin, Widget: c.WidgetName, Lines: make(map[domain.MessageID]string, len(messages)),
		Files: make(map[domain.MessageID][]domain.Attachment, len(messages)),
	}
	record.Earlier, record.Later = part.Earlier, want.Before != ""
	if want.From != "" { // the browser has what comes before it
		record.Earlier = q.Get("earlier") != "" || part.Earlier
	}
	for _, m := range messages {
		record.Lines[m.ID], record.Files[m.ID] = m.Content, m.Attachments
	}
	return record, nil
}
