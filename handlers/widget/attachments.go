package widget

import (
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/edge"
)

// accepted is what a widget tells of the files it takes; nil when it takes none.
type accepted struct {
	MaxBytes int      `json:"max_bytes"`
	Accept   []string `json:"accept"` // types and extensions, as a file chooser wants them
}

func acceptedBy(w domain.Widget) *accepted {
	if !w.AttachmentsEnabled {
		return nil
	}
	return &accepted{domain.MaxAttachmentBytes, domain.AttachmentAccept()}
}

// attach keeps a file for a message that is to come.
func (s *Surface) attach(w http.ResponseWriter, r *http.Request, v *chat.Visitor) error {
	form, err := edge.ReadForm(w, r, "file", 1)
	if err != nil {
		return err
	}
	if len(form.Files) == 0 {
		return domain.RejectAttachment("there is no file in the form: it goes into a part named file")
	}
	a, err := s.chat.Attach(r.Context(), v, form.Files[0].Name, form.Files[0].Bytes)
	if err != nil {
		return err
	}
	a.URL = s.ownOrigin(r) + a.URL
	return edge.WriteJSON(w, http.StatusCreated, a)
}
