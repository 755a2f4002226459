package trace

import (
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// The numbers below are those of opentelemetry/proto/trace/v1/trace.proto (1.x), which never change: ExportTraceServiceRequest, ResourceSpans,
// ScopeSpans, Span, Status, KeyValue and AnyValue.

const scope = "parley"

const statusError = 2

// encode is the export request of one batch.
func encode(resource []byte, spans []Span) []byte {
	scoped := message(nil, 1, text(nil, 1, scope)) // ScopeSpans.scope
	for _, s := range spans {
		scoped = message(scoped, 2, encodeSpan(s))
	}
	return message(nil, 1, message(message(nil, 1, resource), 2, scoped))
}

func resourceOf(attrs ...Attr) (b []byte) {
	for _, a := range attrs {
		b = message(b, 1, encodeAttr(a))
	}
	return b
}

func encodeSpan(s Span) (b []byte) {
	if s.Trace == (TraceID{}) {
		s.Trace = NewTrace()
	}
	if s.ID == (SpanID{}) {
		s.ID = NewSpan()
	}
	b = message(b, 1, s.Trace[:])
	b = message(b, 2, s.ID[:])
	if s.Parent != (SpanID{}) {
		b = message(b, 4, s.Parent[:])
	}
	b = text(b, 5, s.Name)
	b = number(b, 6, uint64(s.Kind))
	b = nanos(nanos(b, 7, s.Begin), 8, s.End)
	for _, a := range s.Attrs {
		b = message(b, 9, encodeAttr(a))
	}
	if s.Failed != "" {
		b = message(b, 15, number(text(nil, 2, s.Failed), 3, statusError))
	}
	return b
}

func encodeAttr(a Attr) []byte {
	var v []byte
	switch x := a.Value.(type) {
	case string:
		v = text(nil, 1, x)
	case bool:
		v = number(nil, 2, protowire.EncodeBool(x))
	case int:
		v = number(nil, 3, uint64(x))
	case float64:
		v = protowire.AppendFixed64(protowire.AppendTag(nil, 4, protowire.Fixed64Type), math.Float64bits(x))
	}
	return message(text(nil, 1, a.Key), 2, v)
}

func message(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

// text is valid UTF-8, as the format demands of every string.
func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), strings.ToValidUTF8(s, "\uFFFD"))
}

func number(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func nanos(b []byte, field protowire.Number, at time.Time) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), uint64(at.UnixNano()))
}
