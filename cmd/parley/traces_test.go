package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// told is a span as a collector reads it.
type told struct {
	trace, id, parent, name string
	kind                    uint64
	begin, end              uint64
	attrs                   map[string]string // texts only
	failed                  string
}

// collector keeps what it is sent.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []told
	raw   strings.Builder
}

func collects(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Path != "/base/v1/traces" || r.Method != http.MethodPost || r.Header.Get("X-Tenant") != "a b" {
			t.Errorf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw.Write(b)
		for _, resource := range fieldsOf(t, b)[1] {
			for _, scoped := range fieldsOf(t, resource)[2] {
				for _, span := range fieldsOf(t, scoped)[2] {
					c.spans = append(c.spans, readSpan(t, span))
				}
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// fieldsOf are a message's fields by number; numbers are as their eight bytes, the most significant first.
func fieldsOf(t *testing.T, b []byte) map[protowire.Number][][]byte {
	t.Helper()
	all := map[protowire.Number][][]byte{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var value []byte
		switch kind {
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(b)
		case protowire.Fixed64Type:
			var v uint64
			v, n = protowire.ConsumeFixed64(b)
			value = protowire.AppendVarint(nil, v)
		case protowire.VarintType:
			var v uint64
			v, n = protowire.ConsumeVarint(b)
			value = protowire.AppendVarint(nil, v)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		all[field] = append(all[field], value)
	}
	return all
}

func readSpan(t *testing.T, b []byte) told {
	t.Helper()
	f := fieldsOf(t, b)
	one := func(field protowire.Number) []byte { return slices.Concat(f[field]...) }
	number := func(field protowire.Number) uint64 { n, _ := protowire.ConsumeVarint(one(field)); return n }
	s := told{
		trace: hex.EncodeToString(one(1)), id: hex.EncodeToString(one(2)), parent: hex.EncodeToString(one(4)), name: string(one(5)),
		kind: number(6), begin: number(7), end: number(8), attrs: map[string]string{},
	}
	for _, a := range f[9] {
		kv := fieldsOf(t, a)
		if texts := fieldsOf(t, kv[2][0])[1]; len(texts) == 1 {
			s.attrs[string(kv[1][0])] = string(texts[0])
		}
	}
	if len(f[15]) == 1 {
		s.failed = string(fieldsOf(t, f[15][0])[2][0])
	}
	return s
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
	find := func(name string) told {
		t.Helper()
		i := slices.IndexFunc(c.spans, func(s told) bool { return s.name == name })
		if i < 0 {
			t.Fatalf("there is no span %q in %v", name, c.spans)
		}
		if s := c.spans[i]; len(s.trace) != 32 || len(s.id) != 16 || s.begin == 0 || s.end < s.begin {
			t.Errorf("%q is no span: %+v", name, s)
		}
		return c.spans[i]
	}
	turn := find("turn")
	if turn.attrs["parley.outcome"] != "done" || turn.attrs["parley.thread_id"] == "" || turn.attrs["parley.agent_id"] == "" || turn.failed != "" || turn.parent != "" {
		t.Errorf("the turn: %+v", turn)
	}
	if tool := find("tool search_knowledge"); tool.trace != turn.trace || tool.parent != turn.id || tool.begin < turn.begin || tool.end > turn.end+1e6 {
		t.Errorf("the search is no part of the turn: %+v, %+v", tool, turn)
	}
	if said := find("POST /w/{key}/messages"); said.attrs["http.route"] != "/w/{key}/messages" || said.kind != 2 {
		t.Errorf("the request: %+v", said)
	}
	if listed := find("GET /api/v1/agents"); listed.trace != "4bf92f3577b34da6a3ce929d0e0e4736" || listed.parent != "00f067aa0ba902b7" {
		t.Errorf("the program's trace does not go on: %+v", listed)
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
