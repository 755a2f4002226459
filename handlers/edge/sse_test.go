package edge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// serve runs a stream on a real server and returns its address.
func serve(t *testing.T, s *Streams, run func(ctx context.Context, out *Stream)) string {
	t.Helper()
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.Serve(w, r, run) }))
	t.Cleanup(ts.Close)
	t.Cleanup(s.Close) // before the server, which waits for its requests
	return ts.URL
}

// read opens a stream and returns its lines up to and with the one that ends with last.
func read(t *testing.T, url, last string, header ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
	var lines []string
	for in := bufio.NewScanner(res.Body); in.Scan(); {
		if lines = append(lines, in.Text()); strings.HasSuffix(in.Text(), last) {
			return lines
		}
	}
	t.Fatalf("the stream ended before %q: %q", last, lines)
	return nil
}

func TestStreamCarriesWhatWasSent(t *testing.T) {
	t.Parallel()
	url := serve(t, NewStreams(), func(ctx context.Context, out *Stream) {
		out.Send("grown", "7", []byte("{\n:) \nevent: evil"))
		out.Send("changed", "", nil)
		out.Send("", "", []byte("came back after "+out.LastID))
		<-ctx.Done()
	})
	got := strings.Join(read(t, url+"/?stream=somebody-else", "came back after not-a-number", "Last-Event-ID", "not-a-number"), "\n")
	for _, want := range []string{
		"retry: 2000",
		"id: 7\ndata: {\ndata: :) \ndata: event: evil\nevent: grown\n",
		"event: changed\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// The library registers a reader some time after the request came in; nothing sent before may be lost.
func TestFirstEventIsNeverLost(t *testing.T) {
	t.Parallel()
	url := serve(t, NewStreams(), func(ctx context.Context, out *Stream) {
		out.Send("hello", "1", []byte("first"))
		<-ctx.Done()
	})
	var readers sync.WaitGroup
	for range 50 {
		readers.Go(func() { read(t, url, "data: first") })
	}
	readers.Wait()
}

func TestIdleStreamHasAHeartbeat(t *testing.T) {
	t.Parallel()
	s := NewStreams()
	s.heartbeat = 5 * time.Millisecond
	url := serve(t, s, func(ctx context.Context, _ *Stream) { <-ctx.Done() })
	read(t, url, ": still here")
}

// Signs of life that find no room among what a reader has yet to take are left out; they must not cost the reader the stream.
func TestHeartbeatsDoNotCutAReaderWithMuchToRead(t *testing.T) {
	t.Parallel()
	s := NewStreams()
	s.heartbeat = time.Millisecond
	const events = 3000
	url := serve(t, s, func(ctx context.Context, out *Stream) {
		for i := range events {
			if !out.SendPaced(ctx, "", fmt.Sprint(i), []byte(strings.Repeat("x", 2000))) {
				t.Errorf("cut at event %d", i)
				return
			}
		}
		out.SendPaced(ctx, "", "", []byte("the last"))
	})
	read(t, url, "data: the last")
}

func TestRunEndsTheStream(t *testing.T) {
	t.Parallel()
	url := serve(t, NewStreams(), func(context.Context, *Stream) {})
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Fatal(err)
	}
}

func TestHeadIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	url := serve(t, NewStreams(), func(ctx context.Context, _ *Stream) { <-ctx.Done() })
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	for range 2 { // on the same connection, which is free again
		res, err := client.Head(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("%s %v", res.Status, res.Header)
		}
	}
}

func TestReaderThatDoesNotReadIsCut(t *testing.T) {
	t.Parallel()
	s := NewStreams()
	s.writeTimeout = 50 * time.Millisecond
	ended := make(chan struct{})
	url := serve(t, s, func(ctx context.Context, out *Stream) {
		defer close(ended)
		big := []byte(strings.Repeat("x", 1<<20))
		for ctx.Err() == nil && out.Send("m", "", big) {
		}
		<-ctx.Done()
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("a reader that does not read holds its stream")
	}
}

// readAll has as many readers read from a URL to the end as fit into begun, and returns once each has begun; over waits for their end.
func readAll(t *testing.T, url string, begun <-chan struct{}) (over func()) {
	var readers sync.WaitGroup
	for range cap(begun) {
		readers.Go(func() {
			res, err := http.Get(url)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body) // how it ends does not matter
			res.Body.Close()
		})
	}
	for range cap(begun) {
		<-begun
	}
	return readers.Wait
}

func TestCloseEndsAllAndRefusesMore(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := NewStreams()
	begun := make(chan struct{}, 20)
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Serve(w, r, func(ctx context.Context, out *Stream) {
			begun <- struct{}{}
			<-ctx.Done()
		})
	}))
	over := readAll(t, ts.URL, begun)
	s.Close()
	over()
	res, err := http.Get(ts.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("after Close: %s %v", res.Status, res.Header)
	}
	ts.Close()
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}
