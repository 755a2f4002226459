package edge

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Wire is a stream of server-sent events that was taken over from the HTTP server and costs no goroutine and no buffer. What it says is
// what a Stream says; r3labs/sse keeps four goroutines for that, and net/http two more.
type Wire struct {
	streams *Streams
	conn    net.Conn
	raw     syscall.RawConn // of conn; nil if it has none
	gone    func()
	slot    int // when in a round it is looked at
	lost    atomic.Bool

	writing sync.Mutex
}

// kernelQueue is how many bytes the kernel may hold for a reader, so that one who does not read is found out soon.
const kernelQueue = 64 << 10

// Take turns the response to a GET into a Wire, whose End must be called, and which outlives the request; it returns nil where that
// cannot be done, as over HTTP/2: then call Serve. Whether the reader may read must have been decided before.
//
// gone is called when the reader has gone, when it takes nothing, or when Close or Cut is called; it may be called more than once, and
// must not block.
func (s *Streams) Take(w http.ResponseWriter, r *http.Request, gone func()) *Wire {
	if r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.TLS != nil || !s.enter() {
		return nil
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.open.Done()
		return nil
	}
	_ = conn.SetDeadline(time.Time{})
	out := &Wire{streams: s, conn: conn, gone: gone, slot: rand.IntN(round)}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(kernelQueue)
		out.raw, _ = tcp.SyscallConn()
	}
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 200 OK\r\n")
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	h.Set("Connection", "close") // it carries no further request
	h.Set("Transfer-Encoding", "chunked")
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	_ = h.Write(&head)
	head.WriteString("\r\n")
	s.patrolled(out)
	out.write(chunk(&head, []byte(": welcome\nretry: "+strconv.FormatInt(retryDelay.Milliseconds(), 10)+"\n\n")))
	return out
}

// chunk adds a chunk of a response to b.
func chunk(b *bytes.Buffer, data []byte) []byte {
	fmt.Fprintf(b, "%x\r\n%s\r\n", len(data), data)
	return b.Bytes()
}

// Send writes one event, as a Stream's SendPaced does: it waits while the reader is behind, and reports false once the reader has gone.
func (w *Wire) Send(event, id string, data []byte) bool {
	e := newEvent(event, id, data)
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	for line := range bytes.SplitSeq(e.Data, []byte("\n")) {
		fmt.Fprintf(&b, "data: %s\n", line)
	}
	if event != "" {
		fmt.Fprintf(&b, "event: %s\n", event)
	}
	b.WriteByte('\n')
	return w.write(chunk(&bytes.Buffer{}, b.Bytes()))
}

// End says that all was sent, and closes the connection.
func (w *Wire) End() {
	s := w.streams
	last := bytes.NewBuffer(chunk(&bytes.Buffer{}, []byte(": "+farewell+"\n\n")))
	last.WriteString("0\r\n\r\n")
	w.write(last.Bytes())
	_ = w.conn.Close()
	s.mu.Lock()
	delete(s.wires, w)
	s.mu.Unlock()
	s.open.Done()
}

func (w *Wire) write(b []byte) bool {
	w.writing.Lock()
	defer w.writing.Unlock()
	return w.put(b)
}

// put writes while nobody else does.
func (w *Wire) put(b []byte) bool {
	if w.lost.Load() {
		return false
	}
	_ = w.conn.SetWriteDeadline(time.Now().Add(w.streams.writeTimeout))
	if _, err := w.conn.Write(b); err != nil {
		w.lose()
		return false
	}
	return true
}

// lose gives the reader up: what is being written fails.
func (w *Wire) lose() {
	w.lost.Store(true)
	_ = w.conn.Close()
	w.gone()
}
