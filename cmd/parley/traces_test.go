package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector keeps what it is sent.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracepb.Span
	raw   strings.Builder
}

func collects(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/base/v1/traces" || r.Method != http.MethodPost || r.Header.Get("X-Tenant") != "a b" {
			t.Errorf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		var export collectorpb.ExportTraceServiceRequest
		if err := proto.Unmarshal(b, &export); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(b)
		for _, resource := range export.ResourceSpans {
			for _, scoped := range resource.ScopeSpans {
				c.spans = append(c.spans, scoped.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// text is a span's attribute.
func text(s *tracepb.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// A conversation, seen by a collector: the requests, the turn with what happened in it, and nothing that anybody said.
func TestTraces(t *testing.T) {
	t.Parallel()
	c := collects(t)
	e := environment(t)
	e["OTEL_EXPORTER_OTLP_ENDPOINT"], e["OTEL_EXPORTER_OTLP_HEADERS"], e["OTEL_SERVICE_NAME"] = c.URL+"/base/", "x-tenant=a%20b, ", "shop-chat"
	s := serve(t, e, "--demo")
	key := apiKey(t, e, "demo")
	widget := s.demoKey(t)
	v := s.visit(t, widget)
	if code := v.say(t, "1", "How long does shipping to Sweden take?"); code != 201 {
		t.Fatal(code)
	}
	v.answered(t, "agent", 1)
	req, err := http.NewRequest(http.MethodGet, s.url+"/api/v1/agents?limit=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if code := s.stop(); code != 0 {
		t.Fatal(code, s.out)
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	find := func(name string) *tracepb.Span {
		t.Helper()
		i := slices.IndexFunc(c.spans, func(s *tracepb.Span) bool { return s.Name == name })
		if i < 0 {
			t.Fatalf("there is no span %q in %v", name, c.spans)
		}
		if s := c.spans[i]; len(s.TraceId) != 16 || len(s.SpanId) != 8 || s.StartTimeUnixNano == 0 || s.EndTimeUnixNano < s.StartTimeUnixNano {
			t.Errorf("%q is no span: %v", name, s)
		}
		return c.spans[i]
	}
	turn := find("turn")
	if text(turn, "parley.outcome") != "done" || text(turn, "parley.thread_id") == "" || text(turn, "parley.agent_id") == "" ||
		turn.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR || len(turn.ParentSpanId) > 0 {
		t.Errorf("the turn: %v", turn)
	}
	if tool := find("tool search_knowledge"); !bytes.Equal(tool.TraceId, turn.TraceId) || !bytes.Equal(tool.ParentSpanId, turn.SpanId) ||
		tool.StartTimeUnixNano < turn.StartTimeUnixNano || tool.EndTimeUnixNano > turn.EndTimeUnixNano+1e6 {
		t.Errorf("the search is no part of the turn: %v, %v", tool, turn)
	}
	if said := find("POST /w/{key}/messages"); text(said, "http.route") != "/w/{key}/messages" || said.Kind != tracepb.Span_SPAN_KIND_SERVER {
		t.Errorf("the request: %v", said)
	}
	if listed := find("GET /api/v1/agents"); hex.EncodeToString(listed.TraceId) != "4bf92f3577b34da6a3ce929d0e0e4736" || hex.EncodeToString(listed.ParentSpanId) != "00f067aa0ba902b7" {
		t.Errorf("the program's trace does not go on: %v", listed)
	}
	for _, secret := range []string{"Sweden", widget, v.token, key, "limit=7"} {
		if strings.Contains(c.raw.String(), secret) {
			t.Errorf("the collector learns of %q", secret)
		}
	}
	if !strings.Contains(c.raw.String(), "shop-chat") {
		t.Error("the service has another name")
	}
}

// A collector that is away costs a line in the log and the spans of that time, nothing else; what is left when the node stops is sent.
func TestCollectorThatComesAndGoes(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	tried := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		tried <- string(b)
	}))
	defer server.Close()
	var log output
	c := config{log: slog.New(slog.NewTextHandler(&log, nil)), traces: traceConfig{url: server.URL + "/v1/traces", service: "shop"}}
	tr, err := c.newTraces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tr.Run(ctx) }()
	done := func(name string) {
		t.Helper()
		tr.done(t.Context(), doing{name: name, begun: time.Now(), end: time.Now()})
		select {
		case body := <-tried:
			if !strings.Contains(body, name) {
				t.Errorf("%q is not in %q", name, body)
			}
		case <-time.After(patience):
			t.Fatal("nothing was sent of", name)
		}
	}
	away.Store(true)
	done("lost")
	done("lost too")
	eventually(t, "word of it", func() bool { return strings.Contains(log.String(), "do not arrive") })
	away.Store(false)
	done("kept")
	tr.done(t.Context(), doing{name: "last", begun: time.Now(), end: time.Now()})
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if last := <-tried; !strings.Contains(last, "last") {
		t.Errorf("at the end %q was sent", last)
	}
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "arrive again") {
		t.Errorf("the log says %q", log.String())
	}
}
