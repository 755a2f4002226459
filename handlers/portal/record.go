package portal

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/views"
)

// recordMost bounds the items on one page of the flight recorder.
const recordMost = 400

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

func (p *Portal) record(r *http.Request, c ledger.Conversation) (*views.Record, error) {
	items, err := p.Chat.Timeline(r.Context(), c.OrgID, c.ID)
	if err != nil {
		return nil, err
	}
	messages, err := p.Chat.Messages(r.Context(), c.OrgID, c.ID, max(0, c.LastSeq-recordMost), recordMost)
	if err != nil {
		return nil, err
	}
	open, err := p.around(r, c)
	if err != nil {
		return nil, err
	}
	record := &views.Record{
		Conversation: *open, Items: items, Widget: c.WidgetName, Lines: make(map[domain.MessageID]string, len(messages)),
		Files: make(map[domain.MessageID][]domain.Attachment, len(messages)),
	}
	if extra := len(items) - recordMost; extra > 0 {
		record.Items, record.Earlier = items[extra:], true
	}
	for _, m := range messages {
		record.Lines[m.ID], record.Files[m.ID] = m.Content, m.Attachments
	}
	return record, nil
}
