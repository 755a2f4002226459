package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

const (
	idempotencyHeader = "Idempotency-Key"
	replayedHeader    = "Idempotent-Replayed"
)

// idempotent answers a POST that comes again under its Idempotency-Key with what it was answered with before.
func (a *API) idempotent(next http.Handler) http.Handler {
	return edge.JSON(a.Log, func(w http.ResponseWriter, r *http.Request) error {
		key := r.Header.Get(idempotencyHeader)
		if r.Method != http.MethodPost || key == "" {
			next.ServeHTTP(w, r)
			return nil
		}
		most := bodyMost(r)
		body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
		if err != nil {
			return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body could not be read", Err: err}
		}
		if int64(len(body)) > most {
			return tooLarge(most)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		org := callerOf(r.Context()).scope()
		first, err := a.Answers.BeginIdempotent(r.Context(), org, key, fingerprint(r, body))
		if domain.KindOf(err) == domain.Conflict && domain.CodeOf(err) == domain.CodeBadField {
			return domain.InvalidField(idempotencyHeader, "was used for another request: choose a new one for each request")
		} else if err != nil {
			return err
		}
		if first != nil {
			repeat(w, first.Status, first.Header, first.Body)
			return nil
		}
		return a.once(w, r, next, org, key)
	})
}

// once lets the request through and remembers its answer, unless it is one that asks to come again.
func (a *API) once(w http.ResponseWriter, r *http.Request, next http.Handler, org domain.OrgID, key string) error {
	// The client may be gone by then; what happened is to be remembered all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Minute)
	defer cancel()
	rec := &recorder{header: w.Header()}
	remembered := false
	defer func() { // also when the handler panics
		if !remembered {
			if err := a.Answers.AbandonIdempotent(ctx, org, key); err != nil {
				a.Log.WarnContext(ctx, "an idempotency key stays taken", "org", org, "err", err)
			}
		}
	}()
	next.ServeHTTP(rec, r)
	rec.WriteHeader(http.StatusOK) // of a handler that wrote nothing at all
	if rec.final() {
		header := map[string]string{}
		for _, name := range []string{"Content-Type", "ETag"} {
			if value := rec.header.Get(name); value != "" {
				header[name] = value
			}
		}
		err := a.Answers.FinishIdempotent(ctx, org, key, rec.status, header, rec.body.Bytes())
		if remembered = err == nil; err != nil { // it was done: the client must hear of it
			a.Log.WarnContext(ctx, "an answer was not remembered", "org", org, "err", err)
		}
	}
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes()) // the reader is gone: nothing to do
	return nil
}

func repeat(w http.ResponseWriter, status int, header map[string]string, body []byte) {
	for name, value := range header {
		w.Header().Set(name, value)
	}
	w.Header().Set(replayedHeader, "true")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the reader is gone: nothing to do
}

// fingerprint tells one request from another.
func fingerprint(r *http.Request, body []byte) []byte {
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.Path, r.URL.RawQuery} {
		_, _ = io.WriteString(h, part+"\x00") // never fails
	}
	_, _ = h.Write(withoutBoundary(r, body))
	return h.Sum(nil)
}

// recorder holds an answer back until it is remembered.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// final reports whether the answer is the last word: a failure of ours, or a limit, is worth another try.
func (r *recorder) final() bool {
	return r.status < http.StatusInternalServerError && r.status != http.StatusTooManyRequests
}
