package portal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

// render answers with a page or a fragment. It is drawn as a whole first, so that a failure never leaves half of one.
func render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return &domain.Error{Kind: domain.Internal, Msg: "the page could not be drawn", Err: err}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the reader is gone: nothing to do
	return nil
}

// done follows a form that went well: the browser asks for another page, so that reloading it sends nothing twice.
func done(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// inPart reports whether htmx asked for a part of a page, by other means than following a link or form as a browser would.
func inPart(r *http.Request) bool {
	return r.Header.Get("HX-Request") != "" && r.Header.Get("HX-Boosted") == ""
}

// fail answers with a page that says what went wrong; programs get problem+json.
func (p *Portal) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !wantsPage(r) {
		edge.WriteProblem(w, r, p.Log, err)
		return
	}
	problem := edge.ProblemOf(err)
	t := views.Trouble{Status: problem.Status, Detail: sentence(problem.Detail)}
	log := p.Log
	if problem.Status == http.StatusInternalServerError {
		t.Detail, t.Ref = "", strings.ToLower(rand.Text()[:8])
		log = log.With("ref", t.Ref)
	}
	edge.LogFailure(r.Context(), log, r, problem.Status, err)
	edge.RetryAfter(w, err)
	if r.Header.Get("HX-Request") != "" { // whatever was to be replaced, this is a page; 5xx leave the old one, see views
		w.Header().Set("HX-Retarget", "body")
		w.Header().Set("HX-Reselect", "body")
		w.Header().Set("HX-Reswap", "outerSync")
	}
	if err := render(w, r, problem.Status, views.Problem(t)); err != nil {
		log.ErrorContext(r.Context(), "no page for a failure", "err", err)
		http.Error(w, t.Detail, problem.Status)
	}
}

func wantsPage(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return accept == "" || strings.Contains(accept, "text/html")
}

// nowhere is what no address leads to.
func (p *Portal) nowhere(http.ResponseWriter, *http.Request) error {
	return &domain.Error{Kind: domain.NotFound}
}

// problems takes what is wrong with a form out of an error that the person can mend; ok is false for any other error.
func problems(err error) (f ui.Form, ok bool) {
	e, is := errors.AsType[*domain.Error](err)
	if !is || e.Kind != domain.Invalid && e.Kind != domain.Conflict {
		return f, false
	}
	f.Problems = e.Fields
	if len(e.Fields) == 0 {
		f.Problem = sentence(e.Msg)
	}
	return f, true
}

// sentence is a message of an error with a capital letter and a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

func (p *Portal) favicon(w http.ResponseWriter, r *http.Request) error {
	var b bytes.Buffer
	if err := views.Favicon().Render(r.Context(), &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, _ = b.WriteTo(w) // the reader is gone: nothing to do
	return nil
}
