package widget

import (
	"mime"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
)

// filePolicy lets a file that a browser shows by itself do nothing at all.
const filePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox"

// file serves an attachment to whoever has its address, which nobody can guess; no cookie is asked for or given. Only pictures that
// this server has drawn anew are shown in place, everything else is saved. What an address leads to never changes; it may be
// erased, so only the reader's own browser keeps it.
func (s *Surface) file(w http.ResponseWriter, r *http.Request) error {
	f, err := s.chat.File(r.Context(), chi.URLParam(r, "token"))
	if err != nil {
		return err
	}
	disposition := "attachment"
	if f.Image() {
		disposition = "inline"
	}
	h := w.Header()
	h.Set("Content-Type", f.Mime)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*") // the widget draws pictures itself, where the page allows none; the address is the secret
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("ETag", `"`+string(f.ID)+`"`)
	http.ServeContent(&patient{w, http.NewResponseController(w)}, r, "", time.Time{}, f)
	return nil
}

// fileWriteTime is for each piece of a file to be written, before the reader counts as gone.
const fileWriteTime = 30 * time.Second

// patient gives each write its own deadline: a large file may take long, but not for ever.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(fileWriteTime)) // a writer that cannot is a test's
	n, err := p.ResponseWriter.Write(b)
	_ = p.control.SetWriteDeadline(time.Time{})
	return n, err
}
