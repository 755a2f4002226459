package widget_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/handlers/widget"
)

// A reader that takes nothing is let go and loses nothing: it comes back with its cursor. Nobody else notices.
func TestSlowReaderIsLetGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{WriteWithin: 2 * time.Second})
	v := w.visitor()
	well := v.hello(0)
	stuck := v.dialNarrow()
	stuck.say(map[string]any{"type": "hello", "after_seq": 0})
	eventually(t, "both are there", func() bool { return w.surface.Connections() == 2 })

	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	thread := v.thread().ID
	reply := func(id, content string) error {
		_, _, err := w.chat.Reply(t.Context(), w.User, thread, id, content)
		return err
	}
	writing.Go(func() {
		long := strings.Repeat("x", 4000)
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			if err := reply(fmt.Sprint("r", i), long); err != nil {
				t.Error(err)
				return
			}
		}
	})
	reading.Go(func() {
		seq := int64(0)
		for {
			f := well.next()
			if f.Type != "message" {
				continue
			}
			if seq++; f.Seq != seq {
				t.Errorf("the other reader: got %d, want %d", f.Seq, seq)
				return
			}
			if f.Content == "the last" {
				return
			}
		}
	})
	eventually(t, "it is let go", func() bool { return strings.Contains(w.logged.String(), "slow_consumer") })
	// Now it reads, and finds out why.
	last := int64(0)
	var err error
	for err == nil {
		var f frame
		if f, err = stuck.read(); f.Type == "message" {
			if last++; f.Seq != last {
				t.Fatalf("got %d, want %d", f.Seq, last)
			}
		}
	}
	if code := websocket.CloseStatus(err); code != 4429 {
		t.Errorf("closed with %d: %v", code, err)
	}
	close(done)
	writing.Wait()
	if err := reply("end", "the last"); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	back := v.dial()
	back.say(map[string]any{"type": "hello", "after_seq": last})
	for f := back.next(); ; f = back.next() {
		if f.Type == "message" {
			if f.Seq != last+1 {
				t.Errorf("goes on with %d, want %d", f.Seq, last+1)
			}
			break
		}
	}
}

// dialNarrow opens a socket over a connection that holds little, so that it is soon full when nobody reads.
func (v *visitor) dialNarrow() *line {
	v.t.Helper()
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(32 << 10)
		}
		return conn, err
	}
	transport := &http.Transport{DialContext: dial}
	v.t.Cleanup(transport.CloseIdleConnections)
	conn, _, err := websocket.Dial(v.t.Context(), v.url+"/w/"+v.Key+"/socket", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, HTTPHeader: http.Header{"Origin": {origin}}, Subprotocols: []string{"parley.v1", "bearer." + v.token},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = conn.CloseNow() })
	return &line{v, conn}
}

// Whoever answers no pings is gone, whatever their TCP connection says.
func TestNoPongs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{PingEvery: 200 * time.Millisecond})
	v := w.visitor()
	well, silent := v.hello(0), v.hello(0)
	ctx, cancel := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	reading.Go(func() { // reading answers pings
		_, _, err := well.conn.Read(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the other one: %v", err)
		}
	})
	eventually(t, "it is dropped", func() bool { return w.surface.Connections() == 1 })
	if _, err := silent.read(); err == nil || websocket.CloseStatus(err) != -1 {
		t.Errorf("the silent one: %v", err)
	}
	cancel()
	reading.Wait()
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	l, early, s := v.hello(0), v.dial(), v.listen("/events")
	s.expect("session", "")
	s.expect("status", "")
	l.write("c1", "hi")
	s.expect("message", "1")
	polled := make(chan answer, 1)
	go func() { polled <- v.get("./poll?after_seq=1&wait=30") }()
	eventually(t, "all are there", func() bool { return w.surface.Connections() == 4 })

	var down sync.WaitGroup
	down.Go(func() {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		w.surface.Shutdown(ctx)
		if ctx.Err() != nil {
			t.Error("somebody had to be thrown out")
		}
	})
	l.expect("ack") // what was said is answered first
	for _, l := range []*line{l, early} {
		if f := l.expect("bye"); f.Reason != "drain" || f.ReconnectAfterMS < 500 || f.ReconnectAfterMS > 5000 {
			t.Errorf("bye %+v", f)
		}
		if code := l.closed(); code != websocket.StatusGoingAway {
			t.Errorf("closed with %d", code)
		}
	}
	s.expect("bye", "")
	if _, more := s.next(); more {
		t.Error("the stream goes on")
	}
	if a := <-polled; a.status != 200 || len(a.Frames) != 0 {
		t.Errorf("poll: %d %s", a.status, a.body)
	}
	down.Wait()
	for _, path := range []string{"./events", "./poll", "./socket"} {
		if a := v.get(path); a.status != 503 || a.Code != "unavailable" || a.header.Get("Retry-After") == "" {
			t.Errorf("%s afterwards: %d %s", path, a.status, a.body)
		}
	}
	if a := v.post("./messages", `{"client_id":"c2","content":"late"}`); a.status != 201 {
		t.Errorf("a request that was under way: %d %s", a.status, a.body)
	}
}

// Who does not answer the farewell is cut off when the time is up.
func TestShutdownDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	v.hello(0) // and never reads again
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	w.surface.Shutdown(ctx)
	if took := time.Since(begun); took > 3*time.Second || w.surface.Connections() != 0 {
		t.Errorf("took %s, %v are left", took, w.surface.Connections())
	}
}

// Connections that end in whatever way leave nothing running. Not parallel: it counts goroutines.
func TestNothingIsLeftRunning(t *testing.T) {
	l := ledgertest.New(t)
	fixture := ledgertest.Seed(t, l)
	if err := l.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	t.Run("world", func(t *testing.T) {
		w := node(t, l, fixture, widget.Limits{HelloWithin: 500 * time.Millisecond})
		for range 2 {
			v := w.visitor()
			gone, cut, big, silent := v.hello(0), v.hello(0), v.hello(0), v.dial()
			gone.write("c1", "hi")
			_ = gone.conn.Close(websocket.StatusNormalClosure, "")
			_ = cut.conn.CloseNow()
			big.send(websocket.MessageText, make([]byte, 70_000))
			big.closed()
			silent.closed()
			v.listen("/events").expect("session", "")
			v.hello(0).say(map[string]any{"type": "typing", "on": true})
			v.get("./poll?wait=0")
		}
	})
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(before, goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck")); err != nil {
		t.Error(err)
	}
}

// A peer that announces a frame larger than the world and then falls silent holds nothing for long.
func TestEndlessFrame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	conn := v.knock("")
	eventually(t, "it is there", func() bool { return w.surface.Connections() == 1 })
	header := []byte{0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0} // text, masked with zeros, 1 TiB
	if _, err := conn.Write(append(header, make([]byte, 70_000)...)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", func() bool { return w.surface.Connections() == 0 })
}

// A client that does not wait for the answer to its upgrade is heard all the same: what came along with the request, however much, is not
// lost between the hands that the connection goes through.
func TestFramesThatCameEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	var early strings.Builder
	for _, text := range []string{`{"type":"hello","after_seq":0}`, `{"type":"message","client_id":"c1","content":"` + strings.Repeat("x", 2000) + `"}`, `{"type":"message","client_id":"c2","content":"two"}`} {
		early.Write([]byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}) // text, 16 bits of length, masked with zeros
		early.WriteString(text)
	}
	v.knock(early.String())
	eventually(t, "both lines are stored", func() bool { return v.thread().LastSeq == 2 })
}

// An idle socket keeps nothing of the request that opened it: neither its goroutine nor, with that, a stack as deep as the handlers.
func TestSocketLetsItsRequestGo(t *testing.T) {
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	v.hello(0)
	eventually(t, "the handler has returned", func() bool {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
		return strings.Contains(stacks.String(), "handlers/widget.(*socket).read(") && !strings.Contains(stacks.String(), "net/http.HandlerFunc.ServeHTTP(")
	})
}

// An idle stream has no goroutine at all, its client's going is noticed all the same, and hands back its place.
func TestStreamCostsNoGoroutine(t *testing.T) {
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	s := v.listen("/events")
	s.expect("session", "")
	s.expect("status", "")
	eventually(t, "nobody waits", func() bool {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
		return !strings.Contains(stacks.String(), "handlers/widget.(*listener)") && !strings.Contains(stacks.String(), "relay.(*attendance).run(") &&
			!strings.Contains(stacks.String(), "net/http.HandlerFunc.ServeHTTP(") && w.surface.Connections() == 1
	})
	v.reply("hello?")
	s.expect("message", "1")
	s.stop()
	eventually(t, "its place is free", func() bool { return w.surface.Connections() == 0 })
}

// A stream that is stuck in the middle of what it has to tell is thrown out when the time for goodbyes is over.
func TestStuckStreamIsThrownOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, widget.Limits{})
	v := w.visitor()
	w.fill(v, 2000)
	conn, err := net.Dial("tcp", strings.TrimPrefix(v.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(conn, "GET /w/%s/events?token=%s HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\n\r\n", v.Key, v.token, origin)
	eventually(t, "it is there", func() bool { return w.surface.Connections() == 1 })
	eventually(t, "it is stuck", func() bool {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
		return regexp.MustCompile(`\[IO wait\]:[^\[]*edge\.\(\*Wire\)\.put\(`).MatchString(stacks.String())
	})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	begun := time.Now()
	w.surface.Shutdown(over)
	if took := time.Since(begun); took > 8*time.Second { // the stuck write itself is given up after ten
		t.Errorf("it took %v", took)
	}
}

// knock opens a socket by hand and sends more along with the request for it.
func (v *visitor) knock(more string) net.Conn {
	v.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(v.url, "http://"))
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = conn.Close() })
	fmt.Fprintf(conn, "GET /w/%s/socket?token=%s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n%s", v.Key, v.token, more)
	return conn
}
