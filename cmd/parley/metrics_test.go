package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Whoever watches a deployment sees how it goes with what webhooks are told, and what waits.
func TestMetricsTellOfDeliveries(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch calls.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable) // once more, then
		case 3:
			w.WriteHeader(http.StatusGone)
		}
	}))
	t.Cleanup(receiver.Close)
	e := environment(t)
	s := serve(t, e, "--demo")
	key := apiKey(t, e, "demo")
	if code := s.call(t, "POST", "/api/v1/webhooks", key, map[string]any{"url": receiver.URL, "kinds": []string{"message_received"}}, nil); code != 201 {
		t.Fatal(code)
	}
	v := s.visit(t, s.demoKey(t))
	v.say(t, "1", "Hello?")
	metrics := func() string {
		resp, err := http.Get(s.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	tells := func(lines ...string) func() bool {
		return func() bool {
			said := metrics()
			for _, l := range lines {
				if !strings.Contains(said, "\n"+l+"\n") {
					return false
				}
			}
			return true
		}
	}
	eventually(t, "a failure and an arrival", tells(`parley_delivery_seconds_count{outcome="failed",transport="webhook"} 1`,
		`parley_delivery_seconds_count{outcome="arrived",transport="webhook"} 1`, `parley_deliveries_waiting{transport="webhook"} 0`, `parley_deliveries_waiting{transport="mail"} 0`,
		`parley_deliveries_waiting{transport="chatwoot"} 0`))
	v.say(t, "2", "Are you there?")
	eventually(t, "one that is given up", tells(`parley_delivery_seconds_count{outcome="dead",transport="webhook"} 1`))
}
