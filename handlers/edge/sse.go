package edge

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/r3labs/sse/v2"
)

// Streams serves server-sent events. Each request gets a private stream that nobody else can name, however it asks; fanning
// out, and replaying what a reader missed, is the caller's business: the ledger has it.
//
// It keeps r3labs/sse within what that does well. Left to itself the library lets anyone read any stream by ?stream=, keeps
// every event in memory, answers 400 to a Last-Event-ID that is no number, and never gives up a reader that does not read.
type Streams struct {
	server *sse.Server
	subs   sync.Map // stream id → chan struct{}, closed once the library has registered the reader
	base   context.Context
	stop   context.CancelFunc

	heartbeat    time.Duration
	writeTimeout time.Duration

	mu      sync.Mutex
	closed  bool
	cut     bool
	wires   map[*Wire]struct{}
	patrols bool // somebody looks after the wires
	open    sync.WaitGroup
}

// What a stream is held to.
const (
	heartbeat    = 15 * time.Second // a comment, so that proxies see a living connection and we see a dead one
	writeTimeout = 10 * time.Second // for each write; the server itself must have none
	retryDelay   = 2 * time.Second  // what browsers are asked to wait before they come back
	streamQueue  = 64               // events; a reader further behind is cut off, comes back and catches up
)

// NewStreams makes an empty set of streams. Close ends it.
func NewStreams() *Streams {
	s := &Streams{heartbeat: heartbeat, writeTimeout: writeTimeout, wires: map[*Wire]struct{}{}}
	s.base, s.stop = context.WithCancel(context.Background())
	// The library drops what is published before it has registered the reader, so whoever writes waits for this call.
	s.server = sse.NewWithCallback(func(id string, _ *sse.Subscriber) {
		if registered, ok := s.subs.LoadAndDelete(id); ok {
			close(registered.(chan struct{}))
		}
	}, nil)
	s.server.AutoReplay, s.server.AutoStream = false, false
	s.server.SplitData = true // a newline within the data must not end the event
	s.server.BufferSize = streamQueue
	s.server.Headers["Cache-Control"] = "no-store"
	s.server.Headers["X-Accel-Buffering"] = "no"
	return s
}

// Close ends every stream and waits until they have ended; later requests end at once. An http.Server does not interrupt
// streams when it shuts down: call this first.
func (s *Streams) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.Cut()
	s.open.Wait()
}

// Cut cuts off all readers of wires, whatever is still to be said to them.
func (s *Streams) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
	for w := range s.wires {
		w.lose()
	}
}

// enter counts a stream in, unless Close was called.
func (s *Streams) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open.Add(1)
	return true
}

// Stream is one reader's connection.
type Stream struct {
	streams *Streams
	id      string
	cut     context.CancelFunc
	LastID  string // the Last-Event-ID the reader came back with; empty on its first visit
}

// Send writes one event. It never blocks: a reader too far behind is cut off, and Send reports false from then on. Data may be
// of several lines, whose ends a reader sees as newlines; event and id must be of one, and may be empty.
func (s *Stream) Send(event, id string, data []byte) bool {
	return s.publish(newEvent(event, id, data))
}

// newEvent sees to what the library would trip over: it takes an event without data as the end, and knows one kind of line end of
// the three that readers know.
func newEvent(event, id string, data []byte) *sse.Event {
	if len(data) == 0 {
		data = []byte{' '}
	}
	if bytes.IndexByte(data, '\r') >= 0 {
		data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	}
	return &sse.Event{Event: []byte(event), ID: []byte(id), Data: data}
}

// SendPaced is Send for whoever has much to tell at once, such as a history: it waits while the reader is behind, and reports
// false once ctx, which is run's, has ended.
func (s *Stream) SendPaced(ctx context.Context, event, id string, data []byte) bool {
	if ctx.Err() != nil {
		return false
	}
	// It always comes back: a reader that takes nothing fails its write, and the library then throws away what waits.
	s.streams.server.Publish(s.id, newEvent(event, id, data))
	return ctx.Err() == nil
}

func (s *Stream) publish(e *sse.Event) bool {
	if s.streams.server.TryPublish(s.id, e) {
		return true
	}
	s.cut()
	return false
}

// Serve turns the response into a stream and calls run to fill it. It returns when run has and all that it sent is written, or
// when the reader goes away or Close is called; these two end run's ctx. Whether the reader may read must have been decided before.
func (s *Streams) Serve(w http.ResponseWriter, r *http.Request, run func(ctx context.Context, out *Stream)) {
	if !s.enter() {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryDelay.Seconds())))
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer s.open.Done()
	if r.Method == http.MethodHead { // it is about the headers, and there is no end to wait for
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
		return
	}
	ctx, cut := context.WithCancel(r.Context())
	defer cut()
	defer context.AfterFunc(s.base, cut)()

	out := &Stream{streams: s, id: rand.Text(), cut: cut, LastID: r.Header.Get("Last-Event-ID")}
	registered := make(chan struct{})
	s.subs.Store(out.id, registered)
	defer s.subs.Delete(out.id)
	s.server.CreateStream(out.id)
	// Only once the library has let go of its reader, which it has when ServeHTTP returned: earlier it would leak a goroutine.
	defer s.server.RemoveStream(out.id)

	timed := &timedWriter{ResponseWriter: w, control: http.NewResponseController(w), timeout: s.writeTimeout, through: make(chan struct{})}
	var writers sync.WaitGroup
	writers.Go(func() { out.beat(ctx) })
	writers.Go(func() {
		defer cut()
		select {
		case <-registered:
			// The library has no event that is nothing but a retry line; a comment may be followed by one.
			out.publish(&sse.Event{Comment: []byte("welcome\nretry: " + strconv.FormatInt(retryDelay.Milliseconds(), 10))})
			run(ctx, out)
			// The library forgets what waits when its reader leaves: this comes after all of it.
			s.server.Publish(out.id, &sse.Event{Comment: []byte(farewell)})
			select {
			case <-timed.through:
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
	})
	s.server.ServeHTTP(timed, private(r.Clone(ctx), out.id))
	cut()
	writers.Wait()
	_ = timed.control.SetWriteDeadline(time.Time{}) // the connection may carry further requests
}

// private is the request as the library is to see it: for this one stream, and without an id that it could not read.
func private(r *http.Request, id string) *http.Request {
	r.URL = &url.URL{Path: r.URL.Path, RawQuery: "stream=" + id}
	r.Header.Del("Last-Event-ID")
	return r
}

// beat keeps an idle stream alive until ctx ends.
func (s *Stream) beat(ctx context.Context) {
	tick := time.NewTicker(s.streams.heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// A reader who has much before them needs no sign of life; one who takes nothing runs into the write's deadline.
			s.streams.server.TryPublish(s.id, &sse.Event{Comment: []byte("still here")})
		}
	}
}

// timedWriter gives each write its own deadline. The library ignores write errors; the deadline cancels the request, which it heeds.
type timedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	through chan struct{} // closed by the farewell
}

// farewell is the comment with which a stream ends that run has ended.
const farewell = "the end"

func (w *timedWriter) Write(p []byte) (int, error) {
	if string(p) == "id: \n" {
		return len(p), nil // the library writes it for every event without an id, and a browser would forget the one it has
	}
	if string(p) == ": "+farewell+"\n" {
		close(w.through)
	}
	_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout)) // not every writer has deadlines; those of the server do
	return w.ResponseWriter.Write(p)
}

func (w *timedWriter) Flush() {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.timeout))
	_ = w.control.Flush() // a reader that is gone ends the request, not the flush
}
