package portal

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
)

// postedFiles reads the form of a request as posted does, and the files in it.
func postedFiles(w http.ResponseWriter, r *http.Request) ([]edge.File, error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return nil, posted(w, r)
	}
	form, err := edge.ReadForm(w, r, "files", domain.MaxAttachments)
	r.PostForm = form.Fields
	return form.Files, err
}

// attach keeps the files of a form for its message, with those that an earlier try has left there. It fails with
// attachment_rejected if any will not do; the others are kept, so that the form can be sent again with them.
func (p *Portal) attach(r *http.Request, c *views.Composer, files []edge.File) (err error) {
	who := memberOf(r).User
	ids, err := chat.AttachmentIDs(r.PostForm["attachments"])
	if err != nil {
		return err
	}
	if len(ids) > 0 {
		if c.Files, err = p.Chat.Waiting(r.Context(), who, ids); err != nil {
			return err
		}
	}
	var refusals []error
	for _, f := range files {
		a, err := p.Chat.AttachAs(r.Context(), who, f.Name, f.Bytes)
		switch e, ok := errors.AsType[*domain.Error](err); {
		case err == nil:
			c.Files = append(c.Files, a)
		case ok && e.Code == domain.CodeAttachmentRejected:
			refusals = append(refusals, fmt.Errorf("“%s”: %s", f.Name, e.Msg))
		default:
			return err
		}
	}
	if len(refusals) > 0 {
		return domain.RejectAttachment("%s", strings.ReplaceAll(errors.Join(refusals...).Error(), "\n", "; "))
	}
	return nil
}
