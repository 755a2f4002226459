package mcp

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

const (
	maxBody  = 256 << 10        // bytes of a request: a line of 4000 characters, many times over
	bodyTime = 15 * time.Second // for it to arrive
)

// noStore keeps answers, which hold people's words, out of every cache. What the protocol's library answers, to POSTs, it marks
// no-cache itself.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses whatever another site's page makes a browser send. Programs send no Origin; the pages of this server may.
// The standard library's protection lets some requests through for their method or their Sec-Fetch-Site: here a foreign Origin is
// refused whatever else a request says, as the protocol wants it.
func (s *Surface) sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	if s.PublicURL != "" {
		if err := guard.AddTrustedOrigin(s.PublicURL); err != nil {
			panic("mcp: the public URL was to be checked before: " + err.Error())
		}
	}
	refuse := edge.JSON(s.Log, func(http.ResponseWriter, *http.Request) error {
		return &domain.Error{Kind: domain.Forbidden, Code: domain.CodeOriginNotAllowed, Msg: "this was sent by a page of another site, so nothing was done"}
	})
	guard.SetDenyHandler(refuse)
	guarded := guard.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" && !s.own(origin, r) {
			refuse(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// own reports whether an Origin is this server's.
func (s *Surface) own(origin string, r *http.Request) bool {
	if s.PublicURL != "" && strings.EqualFold(origin, s.PublicURL) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// single reads the request's body in time and lets one call through at a time: a batch, which old versions of the protocol know,
// would pass as one request under the rate limit.
func (s *Surface) single(next http.Handler) http.Handler {
	return edge.JSON(s.Log, func(w http.ResponseWriter, r *http.Request) error {
		lift := edge.BodyWithin(w, bodyTime)
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		lift()
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return &domain.Error{Kind: domain.Invalid, Code: domain.CodeTooLong, Msg: "the request body is larger than 256 KiB"}
		}
		if err != nil {
			return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body could not be read", Err: err}
		}
		if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
			return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "send one call at a time: batches are not taken"}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		acceptJSON(r.Header)
		answer := &inProtocol{ResponseWriter: w, request: body}
		next.ServeHTTP(answer, r)
		answer.finish()
		return nil
	})
}

// acceptJSON lets those in who can read JSON, which is all that this server answers with: the protocol has clients accept a stream as
// well, and the library insists on it.
func acceptJSON(h http.Header) {
	accept := strings.Join(h.Values("Accept"), ",")
	if accept == "" || strings.Contains(accept, "application/json") || strings.Contains(accept, "*/*") || strings.Contains(accept, "application/*") {
		h.Set("Accept", "application/json, text/event-stream")
	}
}
