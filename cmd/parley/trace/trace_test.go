package trace

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A collector that is away costs a line in the log and the spans of that time, nothing else; what is left when the node stops is sent.
func TestCollectorThatComesAndGoes(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	var mu sync.Mutex
	var bodies []string
	var asked http.Header
	tried := make(chan struct{}, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		defer func() { tried <- struct{}{} }()
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		bodies, asked = append(bodies, string(b)), r.Header.Clone()
	}))
	defer collector.Close()
	var log bytes.Buffer
	e := New(collector.URL+"/v1/traces", http.Header{"X-Key": {"k"}}, "shop", "1", slog.New(slog.NewTextHandler(&log, nil)))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	done := func(name string, attempts int) {
		t.Helper()
		e.Done(Span{Name: name, Kind: Internal, Begin: time.Now(), End: time.Now()})
		for range attempts {
			select {
			case <-tried:
			case <-time.After(30 * time.Second):
				t.Fatal("nothing was sent of", name)
			}
		}
	}
	away.Store(true)
	done("lost", 1)
	done("lost too", 1)
	away.Store(false)
	done("kept", 1)
	done("last", 0)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	all := strings.Join(bodies, "\n")
	for name, want := range map[string]bool{"lost": false, "kept": true, "last": true, "shop": true, "service.name": true} {
		if strings.Contains(all, name) != want {
			t.Errorf("%q is there: %v, want %v", name, !want, want)
		}
	}
	if got := asked.Get("Content-Type"); got != "application/x-protobuf" || asked.Get("X-Key") != "k" {
		t.Errorf("the request's headers: %v", asked)
	}
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "do not arrive") || !strings.Contains(log.String(), "arrive again") {
		t.Errorf("the log says %q", log.String())
	}
}

// Nobody waits for a collector, and the memory that waits for it has an end.
func TestSpansThatFindNoRoomAreDropped(t *testing.T) {
	t.Parallel()
	e := New("http://127.0.0.1:1/v1/traces", nil, "parley", "1", slog.New(slog.DiscardHandler))
	for range queue + 10 {
		e.Done(Span{Name: "one of many"})
	}
	if n := len(e.spans); n != queue {
		t.Errorf("%d wait, want %d", n, queue)
	}
}
