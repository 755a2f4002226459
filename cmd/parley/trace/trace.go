// Package trace sends what a node did to a collector that speaks OpenTelemetry's OTLP over HTTP. It must never hold anybody up: what does
// not fit or cannot be sent is dropped.
package trace

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Span is something that was done, from when to when.
type Span struct {
	Trace  TraceID // zero: a trace of its own
	ID     SpanID
	Parent SpanID // zero: none
	Name   string
	Kind   Kind
	Begin  time.Time
	End    time.Time
	Failed string // why; empty: it did not
	Attrs  []Attr
}

// TraceID names a trace and SpanID a span of it, as W3C's Trace Context has them.
type (
	TraceID [16]byte
	SpanID  [8]byte
)

// Kind is which side of a call a span is.
type Kind int32

// The kinds, with OTLP's numbers.
const (
	Internal Kind = 1
	Server   Kind = 2
	Client   Kind = 3
)

// Attr is something to know of a span: a string, an int, a float64 or a bool.
type Attr struct {
	Key   string
	Value any
}

// NewTrace and NewSpan are names nobody else has.
func NewTrace() (id TraceID) { _, _ = rand.Read(id[:]); return id }
func NewSpan() (id SpanID)   { _, _ = rand.Read(id[:]); return id }

const (
	queue     = 4096             // spans that wait; more are dropped
	most      = 512              // in one request
	every     = 2 * time.Second  // how long one waits at most
	sendIn    = 10 * time.Second // for a request
	goodbyeIn = 2 * time.Second  // for the last one
)

// Exporter collects spans and sends them. It is safe for concurrent use.
type Exporter struct {
	url      string
	headers  http.Header
	resource []byte
	spans    chan Span
	client   *http.Client
	log      *slog.Logger
	away     bool // the last batch did not arrive
}

// New makes an exporter to url, such as http://127.0.0.1:4318/v1/traces. Run must be running for anything to be sent.
func New(url string, headers http.Header, service, version string, log *slog.Logger) *Exporter {
	return &Exporter{
		url: url, headers: headers, spans: make(chan Span, queue), client: &http.Client{}, log: log,
		resource: resourceOf(Attr{"service.name", service}, Attr{"service.version", version}),
	}
}

// Done takes a span that has ended.
func (e *Exporter) Done(s Span) {
	select {
	case e.spans <- s:
	default:
	}
}

// Run sends what comes until ctx ends, and then what is left.
func (e *Exporter) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var batch []Span
	for {
		select {
		case s := <-e.spans:
			if batch = append(batch, s); len(batch) < most {
				continue
			}
		case <-tick.C:
		case <-ctx.Done():
			for len(batch) < most && len(e.spans) > 0 {
				batch = append(batch, <-e.spans)
			}
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeIn)
			defer cancel()
			e.send(last, batch)
			return nil
		}
		e.send(ctx, batch)
		batch = batch[:0]
	}
}

// send says in the log when the collector goes away and when it is back, not with every batch.
func (e *Exporter) send(ctx context.Context, batch []Span) {
	if len(batch) == 0 {
		return
	}
	err := e.post(ctx, batch)
	switch {
	case err != nil && !e.away:
		e.log.WarnContext(ctx, "traces do not arrive, they are dropped until they do (OTEL_EXPORTER_OTLP_ENDPOINT)", "err", err)
	case err == nil && e.away:
		e.log.InfoContext(ctx, "traces arrive again")
	}
	e.away = err != nil
}

func (e *Exporter) post(ctx context.Context, batch []Span) error {
	ctx, cancel := context.WithTimeout(ctx, sendIn)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(encode(e.resource, batch)))
	if err != nil {
		return err
	}
	for name, values := range e.headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := e.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the collector answered with status %d", resp.StatusCode)
	}
	return nil
}
