// Package edge is what all HTTP surfaces share: handlers that return errors, problem+json, request bodies with limits, the log
// line of a request. It must never know a surface's URLs or pages.
package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Handler is an http handler that leaves its failures to the surface.
type Handler func(w http.ResponseWriter, r *http.Request) error

// JSON is h with its errors answered as problem+json.
func JSON(log *slog.Logger, h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			WriteProblem(w, r, log, err)
		}
	}
}

// bodyTime is how long a small body may take to arrive, so that nobody holds a connection by sending a byte now and then.
const bodyTime = 15 * time.Second

// BodyWithin bounds how long reading the request's body may take from now on. The bound is lifted by what it returns; a body read
// too late fails, and the server closes the connection.
func BodyWithin(w http.ResponseWriter, d time.Duration) (lift func()) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(d)) // a writer that cannot is a test's
	return func() { _ = c.SetReadDeadline(time.Time{}) }
}

// MaxBody bounds a JSON request body, in bytes.
const MaxBody = 64 << 10

// Decode reads a JSON body into v. Unknown keys are ignored; an empty body leaves v as it is. It fails with Invalid (bad_json, too_long).
func Decode(w http.ResponseWriter, r *http.Request, v any) error {
	defer BodyWithin(w, bodyTime)()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeTooLong, Msg: "the request body is larger than 64 KiB"}
	}
	if err != nil {
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body could not be read", Err: err}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && t.Field != "" {
			return domain.InvalidField(t.Field, "must not be "+called(t.Value))
		}
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body is not valid JSON", Err: err}
	}
	return nil
}

// called is how people call what encoding/json found instead of what was wanted.
func called(value string) string {
	switch {
	case value == "array", value == "object":
		return "an " + value
	case value == "bool":
		return "true or false"
	case strings.HasPrefix(value, "number "): // with its digits: some other number would do
		return "this number"
	}
	return "a " + value
}

// WriteJSON answers with v.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the reader is gone: nothing to do
	return nil
}
