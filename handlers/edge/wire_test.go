package edge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// wired runs a stream over a wire on a real server and returns its address. When the reader has gone, or the wire is cut, run's ctx ends.
func wired(t *testing.T, s *Streams, run func(ctx context.Context, out *Wire)) string {
	t.Helper()
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, gone := context.WithCancel(context.Background())
		w.Header().Set("Vary", "Origin")
		out := s.Take(w, r, gone)
		if out == nil {
			gone()
			http.Error(w, "not taken", http.StatusTeapot)
			return
		}
		go func() { // a test's; what serves visitors has none
			defer gone()
			run(ctx, out)
			out.End()
		}()
	}))
	t.Cleanup(ts.Close)
	t.Cleanup(s.Close)
	return ts.URL
}

// A browser cannot tell a wire from a stream, but that the connection ends with it.
func TestWireSaysWhatAStreamSays(t *testing.T) {
	t.Parallel()
	type send func(event, id string, data []byte) bool
	tell := func(send send) {
		send("grown", "7", []byte("{\n:) \nevent: evil"))
		send("changed", "", nil)
		send("", "8", []byte("one\r\ntwo\rthree"))
		send("", "", []byte("the last"))
	}
	stream := serve(t, NewStreams(), func(ctx context.Context, out *Stream) {
		tell(func(event, id string, data []byte) bool { return out.SendPaced(ctx, event, id, data) })
	})
	wire := wired(t, NewStreams(), func(_ context.Context, out *Wire) { tell(out.Send) })
	get := func(url string) (string, http.Header) {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body) // it has an end: that of a chunked body
		if err != nil || !slices.Equal(res.TransferEncoding, []string{"chunked"}) || res.StatusCode != http.StatusOK {
			t.Fatal(res.Status, res.TransferEncoding, err)
		}
		return string(body), res.Header
	}
	want, head := get(stream)
	got, wireHead := get(wire)
	if got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if wireHead.Get("Vary") != "Origin" {
		t.Error("what was set before is not sent")
	}
	wireHead.Del("Vary")
	for _, h := range []http.Header{head, wireHead} {
		h.Del("Connection")
		h.Del("Date")
	}
	if fmt.Sprint(head) != fmt.Sprint(wireHead) {
		t.Errorf("got %v, want %v", wireHead, head)
	}
}

func TestIdleWireHasAHeartbeat(t *testing.T) {
	t.Parallel()
	s := NewStreams()
	s.heartbeat = 50 * time.Millisecond
	url := wired(t, s, func(ctx context.Context, _ *Wire) { <-ctx.Done() })
	for i := range 3 {
		if got := strings.Join(read(t, url, ": still here"), "\n"); got != ": welcome\nretry: 2000\n\n: still here" {
			t.Errorf("%d: %q", i, got)
		}
	}
}

// Heartbeats go between events, never into one.
func TestHeartbeatsBetweenEvents(t *testing.T) {
	t.Parallel()
	s := NewStreams()
	s.heartbeat = time.Millisecond
	const events = 300
	url := wired(t, s, func(_ context.Context, out *Wire) {
		for i := range events {
			if !out.Send("", fmt.Sprint(i), []byte(strings.Repeat("x", 20000))) {
				t.Errorf("cut at event %d", i)
				return
			}
		}
		out.Send("", "", []byte("the last"))
	})
	next := 0
	for _, l := range read(t, url, "data: the last") {
		if id, ok := strings.CutPrefix(l, "id: "); ok {
			if id != fmt.Sprint(next) {
				t.Fatalf("%s comes where %d should", id, next)
			}
			next++
		} else if d, ok := strings.CutPrefix(l, "data: x"); ok && len(d) != 19999 {
			t.Fatalf("an event of %d", len(d))
		}
	}
	if next != events {
		t.Errorf("%d events", next)
	}
}

// dialled asks for a stream and reads nothing.
func dialled(t *testing.T, url string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	return conn.(*net.TCPConn)
}

// A look at the connection tells that the reader has gone: nothing need be written for that.
func TestWireWhoseReaderHasGone(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(c *net.TCPConn) error{
		"closed": func(c *net.TCPConn) error { return c.Close() },
		"reset":  func(c *net.TCPConn) error { _ = c.SetLinger(0); return c.Close() },
	} {
		s := NewStreams()
		s.heartbeat = time.Hour
		seen, left, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		url := wired(t, s, func(ctx context.Context, out *Wire) {
			defer close(ended)
			for range 10 {
				if out.look(false); ctx.Err() != nil {
					t.Errorf("%s: gone before it went", name)
				}
			}
			close(seen)
			<-left
			for end := time.Now().Add(20 * time.Second); ctx.Err() == nil; time.Sleep(time.Millisecond) {
				if out.look(false); time.Now().After(end) {
					t.Errorf("%s: nobody notices", name)
					return
				}
			}
		})
		conn := dialled(t, url)
		if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		<-seen
		if err := leave(conn); err != nil {
			t.Fatal(err)
		}
		close(left)
		<-ended
	}
}

func TestWireWhoseReaderTakesNothingIsCut(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(ctx context.Context, out *Wire){
		"while it is told": func(ctx context.Context, out *Wire) {
			for big := []byte(strings.Repeat("x", 1<<20)); out.Send("m", "", big); {
			}
			<-ctx.Done()
		},
		"while it is silent": func(ctx context.Context, out *Wire) { // all that is left to write are heartbeats
			fill(out)
			<-ctx.Done()
		},
	} {
		s := NewStreams()
		s.writeTimeout, s.heartbeat = 100*time.Millisecond, 15*time.Millisecond
		ended := make(chan struct{})
		dialled(t, wired(t, s, func(ctx context.Context, out *Wire) { run(ctx, out); close(ended) }))
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Errorf("%s: it holds its wire", name)
		}
	}
}

// fill writes until there is no more room in the kernel, for which it does not wait.
func fill(out *Wire) {
	out.writing.Lock()
	defer out.writing.Unlock()
	for misses := 0; misses < 20; {
		if out.trickle([]byte("1\r\n\n\r\n")) == 0 {
			misses++
			time.Sleep(time.Millisecond) // some may be on its way to the reader
		}
	}
}

func TestCloseEndsAllWires(t *testing.T) {
	before := goleak.IgnoreCurrent()
	s := NewStreams()
	begun := make(chan struct{}, 20)
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, gone := context.WithCancel(context.Background())
		out := s.Take(w, r, gone)
		if out == nil {
			gone()
			s.Serve(w, r, nil)
			return
		}
		context.AfterFunc(ctx, out.End)
		begun <- struct{}{}
	}))
	over := readAll(t, ts.URL, begun)
	s.Close()
	over()
	if len(s.wires) > 0 {
		t.Errorf("%d wires are left", len(s.wires))
	}
	res, err := http.Get(ts.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("after Close: %s", res.Status)
	}
	ts.Close()
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
}

func TestWhatIsNotTakenOver(t *testing.T) {
	t.Parallel()
	s := NewStreams()
	defer s.Close()
	if s.Take(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), func() {}) != nil {
		t.Error("what cannot be hijacked was taken over")
	}
	url := wired(t, s, func(ctx context.Context, _ *Wire) { <-ctx.Done() })
	for _, first := range []string{"HEAD / HTTP/1.1", "GET / HTTP/1.0"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, first+"\r\nHost: x\r\n\r\n")
		if l, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(l, "418") {
			t.Errorf("%s: %q %v", first, l, err)
		}
		_ = conn.Close()
	}
}
