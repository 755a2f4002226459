package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
)

func TestBadBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	agents := Prefix + "/agents"
	for _, body := range []string{"", "{", "nonsense", `{"name":}`, `{"name":"x"} {}`} {
		w.acme.do(t, http.MethodPost, agents, body).problem(t, http.StatusBadRequest, "bad_json")
	}
	w.acme.do(t, http.MethodPost, agents, "name=x", "Content-Type", "application/x-www-form-urlencoded").problem(t, http.StatusBadRequest, "bad_json")
	w.acme.do(t, http.MethodPost, agents, `{"name":"x"}`, "Content-Type", "application/json; charset=utf-8").want(t, http.StatusCreated)
	pad := func(n int) string { return `{"name":"x"}` + strings.Repeat(" ", n-len(`{"name":"x"}`)) }
	w.acme.do(t, http.MethodPost, agents, pad(maxBody)).want(t, http.StatusCreated)
	w.acme.do(t, http.MethodPost, agents, pad(maxBody+1)).problem(t, http.StatusUnprocessableEntity, "too_long")
	// All that is wrong is told at once.
	a := w.acme.post(t, "/agents", map[string]any{"kind": 1, "settle_ms": "x", "config": 2}).problem(t, http.StatusUnprocessableEntity, "bad_field")
	if fields, _ := a.at("errors").(map[string]any); len(fields) != 4 {
		t.Errorf("%s", a.raw)
	}
	if strings.Contains(string(w.acme.post(t, "/agents", map[string]any{"name": "x", "kind": "s3cret-value"}).raw), "s3cret") {
		t.Error("what was sent comes back")
	}
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []client{w.acme.client, {base: w.server.URL}} {
		for _, path := range []string{"/nope", "/agents/x/y/z", "/", "/openapi.yaml"} {
			c.get(t, path).problem(t, http.StatusNotFound, "not_found")
		}
		a := c.do(t, http.MethodPut, Prefix+"/agents/"+string(w.acme.Agent), "{}").problem(t, http.StatusMethodNotAllowed, "method_not_allowed")
		if allow := strings.Join(a.header.Values("Allow"), ", "); allow != "GET, PATCH, DELETE" {
			t.Errorf("Allow: %s", allow)
		}
		c.do(t, http.MethodDelete, Prefix+"/threads", nil).problem(t, http.StatusMethodNotAllowed, "method_not_allowed")
	}
}

func TestErrorsOfTheDomain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err    error
		status int
		retry  string
		says   string
	}{
		{&domain.Error{Kind: domain.Throttled, Msg: "slow down", RetryAfter: 1500 * time.Millisecond}, 429, "2", "slow down"},
		{&domain.Error{Kind: domain.Unavailable, Msg: "later", RetryAfter: time.Second}, 503, "1", "later"},
		{&domain.Error{Kind: domain.Forbidden, Msg: "no"}, 403, "", "no"},
		{domain.Conflictf("moved on"), 409, "", "moved on"},
		{domain.NotFoundf("gone"), 404, "", "gone"},
		{domain.InvalidField("name", "is odd"), 422, "", "is odd"},
		{&domain.Error{Kind: domain.Internal, Msg: "the cause"}, 500, "", "something went wrong"},
		{http.ErrBodyNotAllowed, 500, "", "something went wrong"},
	}
	var log strings.Builder
	a := &API{Deps: Deps{Log: slog.New(slog.NewTextHandler(&log, nil))}}
	for _, tt := range tests {
		ctx := context.WithValue(t.Context(), callerKey{}, caller{request: httptest.NewRequest(http.MethodGet, "/agents", nil)})
		err := a.refusal(ctx, tt.err)
		p, isProblem := errors.AsType[*Problem](err)
		h, hasHeaders := errors.AsType[huma.HeadersError](err)
		if !isProblem || !hasHeaders || p.GetStatus() != tt.status || h.GetHeaders().Get("Retry-After") != tt.retry ||
			!strings.Contains(p.Detail, tt.says) || strings.Contains(p.Detail, "cause") {
			t.Errorf("%v: %v", tt.err, err)
		}
	}
	if n := strings.Count(log.String(), "request failed"); n != 3 {
		t.Errorf("%d log lines, want those of the two bugs and the outage:\n%s", n, log.String())
	}
}

// Whatever stands in a body or a query, it is refused or taken, and never a failure of ours.
func TestOddValuesBreakNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *Deps) { d.RatePerMinute = 1 << 20 })
	w.says(t, w.acme, "1", "Hello?")
	s, _ := readSpec(t, w)
	odd := []string{`null`, `7`, `-1`, `1e30`, `1e300`, `0.5`, `true`, `""`, `"\u0000"`, `"\ud800"`, `"\u202e"`, `[]`, `[null]`, `["\u0000"]`, `{}`, `{"":null}`,
		`{"a":"\u0000"}`, `"` + strings.Repeat("x", 100_000) + `"`}
	try := func(method, path, body string) {
		t.Helper()
		if a := w.acme.do(t, strings.ToUpper(method), Prefix+path, body); a.status >= 500 || a.status >= 400 && a.body["code"] == nil {
			t.Errorf("%s %s %.200s: %d %s", method, path, body, a.status, a.raw)
		}
	}
	for path, methods := range s.Paths {
		at := own(t, w.acme, path)
		for method, o := range methods {
			for _, p := range o.Parameters {
				if p.In == "query" {
					for _, v := range []string{"", "%00", "%ff", "'", "-1", "99999999999999999999", ",", "%25", strings.Repeat("x", 5000)} {
						try(method, at+"?"+p.Name+"="+v, "")
					}
				}
			}
			if o.RequestBody == nil {
				continue
			}
			if _, isJSON := o.RequestBody.Content["application/json"]; !isJSON { // files have tests of their own
				continue
			}
			schema := o.RequestBody.Content["application/json"].Schema
			for field := range w.properties(t, s, schema) {
				example, _ := o.RequestBody.Content["application/json"].Example.(map[string]any)
				for _, v := range odd {
					body := maps.Clone(example)
					body[field] = json.RawMessage(v)
					b, err := json.Marshal(body)
					if err != nil {
						t.Fatal(err)
					}
					try(method, at, string(b))
				}
			}
		}
	}
}

// properties are those of an object's schema, also behind a $ref.
func (w *world) properties(t *testing.T, s spec, schema map[string]any) map[string]any {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = s.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
	}
	properties, _ := schema["properties"].(map[string]any)
	if len(properties) == 0 {
		t.Fatalf("no properties: %v", schema)
	}
	return properties
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *Deps) { d.RatePerMinute = 3 })
	for left := 2; left >= 0; left-- {
		a := w.acme.get(t, "/agents").want(t, http.StatusOK)
		if a.header.Get("RateLimit-Limit") != "3" || a.header.Get("RateLimit-Remaining") != strconv.Itoa(left) {
			t.Errorf("%v", a.header)
		}
		if n, err := strconv.Atoi(a.header.Get("RateLimit-Reset")); err != nil || n < 1 || n > 60 {
			t.Errorf("RateLimit-Reset %q", a.header.Get("RateLimit-Reset"))
		}
	}
	a := w.acme.get(t, "/agents").problem(t, http.StatusTooManyRequests, "rate_limited")
	if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 || n > 60 {
		t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
	}
	w.rival.get(t, "/agents").want(t, http.StatusOK)
}
