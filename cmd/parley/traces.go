package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// traceConfig is where traces go.
type traceConfig struct {
	url     string // empty: nowhere
	headers map[string]string
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
	c.url, c.service, c.headers = u.JoinPath("v1", "traces").String(), cmp.Or(env("OTEL_SERVICE_NAME"), "parley"), map[string]string{}
	for pair := range strings.SplitSeq(env("OTEL_EXPORTER_OTLP_HEADERS"), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if value, err = url.PathUnescape(strings.TrimSpace(value)); !ok || err != nil || strings.TrimSpace(name) == "" {
			return c, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS must look like name=value,other=value")
		}
		c.headers[strings.TrimSpace(name)] = value
	}
	return c, nil
}

// traces tells a collector what this node does, as OTLP over HTTP. It holds nobody up: what finds no room, or cannot be sent, is lost.
type traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

const (
	traceEvery   = 2 * time.Second  // how long a span waits at most to be sent
	traceWithin  = 10 * time.Second // for a request to the collector
	traceGoodbye = 2 * time.Second  // for the last one
)

// newTraces makes traces if the environment wants any. Run must be called in the end.
func (c config) newTraces(ctx context.Context) (*traces, error) {
	if c.traces.url == "" {
		return nil, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(c.traces.url), otlptracehttp.WithHeaders(c.traces.headers),
		otlptracehttp.WithTimeout(traceWithin),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(&noted{SpanExporter: exporter, log: c.log}, sdk.WithBatchTimeout(traceEvery)),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", c.traces.service), attribute.String("service.version", currentVersion()))))
	return &traces{provider, provider.Tracer("parley")}, nil
}

// Run sends what is left once ctx ends.
func (t *traces) Run(ctx context.Context) error {
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceGoodbye)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // what does not arrive is lost
	return nil
}

// noted says once that spans do not arrive, and once that they do again.
type noted struct {
	sdk.SpanExporter
	log  *slog.Logger
	away bool
}

func (n *noted) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := n.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !n.away:
		n.log.WarnContext(ctx, "traces do not arrive", "err", err)
	case err == nil && n.away:
		n.log.InfoContext(ctx, "traces arrive again")
	}
	n.away = err != nil
	return nil
}
