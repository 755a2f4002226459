package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const noneMatchHeader = "If-None-Match"

// unchanged answers a GET, or HEAD, whose If-None-Match names the state that would be shown with 304 and nothing of it. It goes by the
// ETag that the answer brings, so whatever has one can be asked for in this way.
func unchanged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen := r.Header.Values(noneMatchHeader); len(seen) > 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			w = &conditional{ResponseWriter: w, seen: strings.Join(seen, ",")}
		}
		next.ServeHTTP(w, r)
	})
}

// conditional drops an answer that its reader has.
type conditional struct {
	http.ResponseWriter
	seen          string // If-None-Match
	begun, silent bool
}

func (c *conditional) WriteHeader(status int) {
	if !c.begun && status == http.StatusOK && hasSeen(c.seen, c.Header().Get("ETag")) {
		c.silent, status = true, http.StatusNotModified
		c.Header().Del("Content-Type")
	}
	c.begun = true
	c.ResponseWriter.WriteHeader(status)
}

func (c *conditional) Write(b []byte) (int, error) {
	if !c.begun {
		c.WriteHeader(http.StatusOK)
	}
	if c.silent {
		return len(b), nil
	}
	return c.ResponseWriter.Write(b)
}

// Unwrap lets deadlines be set.
func (c *conditional) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// hasSeen compares weakly (RFC 9110): caches may have weakened a tag on the way.
func hasSeen(seen, now string) bool {
	for tag := range strings.SplitSeq(seen, ",") {
		if tag = strings.TrimSpace(tag); now != "" && (tag == "*" || strings.TrimPrefix(tag, "W/") == now) {
			return true
		}
	}
	return false
}

// readsAgain tells in the document that what has an ETag can be asked for in this way.
func readsAgain(o *huma.Operation) {
	shown := o.Responses["200"]
	if o.Method != http.MethodGet || shown == nil || shown.Headers["ETag"] == nil {
		return
	}
	o.Parameters = append(o.Parameters, &huma.Param{
		Name: noneMatchHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, Examples: []any{`"mF0aPpY1v3tq9cWJb2sE8g"`}},
		Description: "The ETag of the state you have; if nothing in the answer has changed since, it is 304 and without a body.",
	})
	o.Responses["304"] = &huma.Response{Description: "It is still as If-None-Match says.", Headers: map[string]*huma.Param{"ETag": shown.Headers["ETag"]}}
}
