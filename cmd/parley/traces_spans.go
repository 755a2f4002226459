package main

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
)

// doing is something that was done, from when to when. What is known only afterwards is told afterwards.
type doing struct {
	name       string
	kind       trace.SpanKind
	begun, end time.Time
	failed     string // why; empty: it did not
	attrs      []attribute.KeyValue
}

// done tells of it as a part of what ctx says, and returns what its own parts are to be told with.
func (t *traces) done(ctx context.Context, d doing) context.Context {
	ctx, span := t.tracer.Start(ctx, d.name, trace.WithSpanKind(d.kind), trace.WithTimestamp(d.begun), trace.WithAttributes(d.attrs...))
	if d.failed != "" {
		span.SetStatus(codes.Error, d.failed)
	}
	span.End(trace.WithTimestamp(d.end))
	return ctx
}

// hear makes spans of turns and deliveries.
func (t *traces) hear(d *dispatch.Dispatcher, courier *dispatch.Courier) {
	d.OnTurn(t.turn)
	courier.OnAttempt(func(a dispatch.Attempt) {
		now := time.Now()
		s := doing{name: "deliver " + a.Transport, kind: trace.SpanKindClient, begun: now.Add(-a.Took), end: now, attrs: []attribute.KeyValue{attribute.String("parley.outcome", a.Outcome)}}
		if a.Outcome != "arrived" {
			s.failed = a.Outcome
		}
		t.done(context.Background(), s)
	})
}

// turn is a span, and so are the calls of models and tools in it, which the turn's recorder has timed.
func (t *traces) turn(e dispatch.Ended) {
	whole := doing{name: "turn", kind: trace.SpanKindInternal, begun: e.Begun, end: e.Begun.Add(e.Took), attrs: []attribute.KeyValue{
		attribute.String("parley.turn_id", string(e.Turn)), attribute.String("parley.thread_id", string(e.Thread)), attribute.String("parley.agent_id", string(e.Agent)),
		attribute.Int("parley.attempt", e.Attempt), attribute.String("parley.outcome", e.Outcome),
	}}
	if e.Outcome == "failed" {
		whole.failed = e.Reason
	}
	ctx := t.done(context.Background(), whole)
	for _, s := range e.Steps {
		if s.Kind == domain.ModelCall || s.Kind == domain.ToolResult {
			t.done(ctx, step(e.Begun.Add(s.After), s))
		}
	}
}

// step leaves out what was said: names, numbers and failures are enough to see where time goes.
func step(end time.Time, s agent.Step) doing {
	ms, _ := s.Detail["ms"].(float64)
	d := doing{name: "model call", kind: trace.SpanKindClient, begun: end.Add(-time.Duration(ms * float64(time.Millisecond))), end: end}
	of := func(key string) string { s, _ := s.Detail[key].(string); return s }
	if s.Kind == domain.ToolResult {
		d.name = strings.TrimSpace("tool " + of("name"))
		if ok, is := s.Detail["ok"].(bool); is && !ok {
			d.failed = "the tool failed"
		}
	}
	for _, key := range []string{"kind", "model"} {
		if v := of(key); v != "" {
			d.attrs = append(d.attrs, attribute.String("parley."+key, v))
		}
	}
	for _, key := range []string{"prompt_tokens", "completion_tokens"} {
		if n, is := s.Detail[key].(int); is {
			d.attrs = append(d.attrs, attribute.Int("parley."+key, n))
		}
	}
	d.failed = cmp.Or(of("error"), d.failed)
	return d
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
			d := doing{name: strings.TrimSpace(r.Method + " " + route), kind: trace.SpanKindServer, begun: begun, end: time.Now(), attrs: []attribute.KeyValue{
				attribute.String("http.request.method", r.Method), attribute.String("http.route", route), attribute.Int("http.response.status_code", status),
			}}
			if status >= http.StatusInternalServerError {
				d.failed = http.StatusText(status)
			}
			ctx := context.Background()
			if r.Header.Get("Authorization") != "" { // a program of the organisation's may go on with its own trace, a page of anybody's may not
				ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
			}
			t.done(ctx, d)
		}()
		next.ServeHTTP(seen, r)
	})
}
