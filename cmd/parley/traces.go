package main

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/parley-chat/parley/cmd/parley/trace"
	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
)

// traceConfig is where traces go.
type traceConfig struct {
	url     string // empty: nowhere
	headers http.Header
	service string
}

// readTraces reads OpenTelemetry's own variables, as far as they make sense here.
func readTraces(env getenv) (c traceConfig, err error) {
	endpoint := env("OTEL_EXPORTER_OTLP_ENDPOINT")
	if endpoint == "" {
		return c, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return c, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT must look like http://127.0.0.1:4318, not %q", endpoint)
	}
	c.url, c.service, c.headers = u.JoinPath("v1", "traces").String(), cmp.Or(env("OTEL_SERVICE_NAME"), "parley"), http.Header{}
	for pair := range strings.SplitSeq(env("OTEL_EXPORTER_OTLP_HEADERS"), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if value, err = url.PathUnescape(strings.TrimSpace(value)); !ok || err != nil || strings.TrimSpace(name) == "" {
			return c, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS must look like name=value,other=value")
		}
		c.headers.Set(strings.TrimSpace(name), value)
	}
	return c, nil
}

// traces makes spans of what this node does: requests, turns with what happened in them, and attempts to deliver.
type traces struct{ *trace.Exporter }

func (c config) newTraces() *traces {
	if c.traces.url == "" {
		return nil
	}
	return &traces{trace.New(c.traces.url, c.traces.headers, c.traces.service, currentVersion(), c.log)}
}

// hear makes spans of turns and deliveries.
func (t *traces) hear(d *dispatch.Dispatcher, courier *dispatch.Courier) {
	d.OnTurn(t.turn)
	courier.OnAttempt(func(a dispatch.Attempt) {
		now := time.Now()
		s := trace.Span{Name: "deliver " + a.Transport, Kind: trace.Client, Begin: now.Add(-a.Took), End: now, Attrs: []trace.Attr{{Key: "parley.outcome", Value: a.Outcome}}}
		if a.Outcome != "arrived" {
			s.Failed = a.Outcome
		}
		t.Done(s)
	})
}

// turn is a span, and so are the calls of models and tools in it, which the turn's recorder has timed.
func (t *traces) turn(e dispatch.Ended) {
	whole := trace.Span{
		Trace: trace.NewTrace(), ID: trace.NewSpan(), Name: "turn", Kind: trace.Internal, Begin: e.Begun, End: e.Begun.Add(e.Took),
		Attrs: []trace.Attr{
			{Key: "parley.turn_id", Value: string(e.Turn)}, {Key: "parley.thread_id", Value: string(e.Thread)}, {Key: "parley.agent_id", Value: string(e.Agent)},
			{Key: "parley.attempt", Value: e.Attempt}, {Key: "parley.outcome", Value: e.Outcome},
		},
	}
	if e.Outcome == "failed" {
		whole.Failed = e.Reason
	}
	t.Done(whole)
	for _, s := range e.Steps {
		if s.Kind != domain.ModelCall && s.Kind != domain.ToolResult {
			continue
		}
		t.Done(stepSpan(whole, e.Begun.Add(s.After), s))
	}
}

// stepSpan leaves out what was said: names, numbers and failures are enough to see where time goes.
func stepSpan(whole trace.Span, end time.Time, s agent.Step) trace.Span {
	ms, _ := s.Detail["ms"].(float64)
	span := trace.Span{
		Trace: whole.Trace, Parent: whole.ID, Kind: trace.Client,
		Begin: end.Add(-time.Duration(ms * float64(time.Millisecond))), End: end,
	}
	of := func(key string) string { s, _ := s.Detail[key].(string); return s }
	if span.Name = "model call"; s.Kind == domain.ToolResult {
		span.Name = strings.TrimSpace("tool " + of("name"))
		if ok, is := s.Detail["ok"].(bool); is && !ok {
			span.Failed = "the tool failed"
		}
	}
	for _, key := range []string{"kind", "model"} {
		if v := of(key); v != "" {
			span.Attrs = append(span.Attrs, trace.Attr{Key: "parley." + key, Value: v})
		}
	}
	for _, key := range []string{"prompt_tokens", "completion_tokens"} {
		if n, is := s.Detail[key].(int); is {
			span.Attrs = append(span.Attrs, trace.Attr{Key: "parley." + key, Value: n})
		}
	}
	if failed := of("error"); failed != "" {
		span.Failed = failed
	}
	return span
}

// requests makes a span of every request but sockets, streams, polls, which last as long as somebody listens, and what watches the server.
// Paths are told as patterns: ids and keys in them are nobody's business here, nor are queries.
func (t *traces) requests(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			next.ServeHTTP(w, r)
			return
		}
		seen, begun := middleware.NewWrapResponseWriter(w, r.ProtoMajor), time.Now()
		defer func() {
			route := chi.RouteContext(r.Context()).RoutePattern()
			if route == "/health" || route == "/ready" || route == "/metrics" || strings.HasSuffix(route, "/poll") || strings.HasPrefix(seen.Header().Get("Content-Type"), "text/event-stream") {
				return
			}
			status := cmp.Or(seen.Status(), http.StatusOK)
			s := trace.Span{
				Name: strings.TrimSpace(r.Method + " " + route), Kind: trace.Server, Begin: begun, End: time.Now(),
				Attrs: []trace.Attr{{Key: "http.request.method", Value: r.Method}, {Key: "http.route", Value: route}, {Key: "http.response.status_code", Value: status}},
			}
			if status >= http.StatusInternalServerError {
				s.Failed = http.StatusText(status)
			}
			if r.Header.Get("Authorization") != "" { // a program of the organisation's may go on with its own trace, a page of anybody's may not
				s.Trace, s.Parent = parentOf(r.Header.Get("Traceparent"))
			}
			t.Done(s)
		}()
		next.ServeHTTP(seen, r)
	})
}

// parentOf reads W3C's traceparent; what is not one is none.
func parentOf(header string) (of trace.TraceID, parent trace.SpanID) {
	parts := strings.Split(header, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || parts[0] == "ff" || len(parts[1]) != 32 || len(parts[2]) != 16 {
		return of, parent
	}
	a, errA := hex.DecodeString(parts[1])
	b, errB := hex.DecodeString(parts[2])
	if errA != nil || errB != nil {
		return of, parent
	}
	return trace.TraceID(a), trace.SpanID(b)
}
