package widget

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

const (
	maxFrame      = 64 << 10 // bytes of a client's frame
	outQueue      = 64       // events that wait for a socket's writer
	readBuffer    = 512      // bytes, between a socket and the kernel
	writeBuffer   = 1 << 10
	kernelQueue   = 64 << 10         // bytes the kernel may hold for a reader, so that one who does not read is found out soon
	lagFor        = time.Second      // how long a full queue may stay full before the reader counts as too slow
	closeWithin   = 5 * time.Second  // for the farewell, once a socket is to end
	commandWithin = 10 * time.Second // for what one frame asks for
	pingsMissed   = 2                // pings without a pong after which nobody is there
)

// farewell is how the server ends a socket.
type farewell struct {
	code   websocket.StatusCode
	reason string
	bye    *dialect.Bye // to be said first, after what is still to be said; may be nil
}

// farewell is how the server ends the socket of a guest who was asked to go.
func (p *place) farewell() farewell {
	bye := p.goodbye()
	f := draining
	if bye.Reason != dialect.Drain {
		f = farewell{code: websocket.StatusPolicyViolation, reason: string(bye.Reason)}
	}
	f.bye = &bye
	return f
}

var (
	helloTimeout = farewell{code: 4408, reason: "hello_timeout"}
	slowConsumer = farewell{code: 4429, reason: "slow_consumer"}
	frameTooBig  = farewell{code: websocket.StatusMessageTooBig, reason: "frames may have at most 64 KiB"}
	vanished     = farewell{code: websocket.StatusNormalClosure, reason: "the conversation was deleted", bye: &dialect.Bye{}}
	broken       = farewell{code: websocket.StatusInternalError, reason: "internal"}
	draining     = farewell{code: websocket.StatusGoingAway, reason: "drain"}
)

// errOver ends a socket's goroutines. It says nothing went wrong.
var errOver = errors.New("widget: the socket is over")

// socket is one client's connection. One goroutine reads frames and does what they ask; the thread is attended, and events are written,
// by goroutines that are there only while something happens: an idle socket costs little more than its reader. Only the writer writes and
// closes: the others ask it to. All dialects share it.
type socket struct {
	s     *Surface
	d     dialect.Dialect
	talk  talk
	path  string // of the request, for the log
	log   []any  // who it is, for the log
	place *place
	conn  *websocket.Conn
	raw   net.Conn // under conn
	in    *inlet   // between them; nil: nothing is

	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	tasks  sync.WaitGroup // of what goes on beside the reader

	turn   chan struct{} // held by the reader while it does what a frame asks, and by who follows while it goes over to another thread
	frames bucket        // the reader's
	within bool          // a message, for the reader
	hello  *time.Timer   // the reader's; nil: nobody waits for a hello
	live   atomic.Bool   // history is told; from here on lagging is the reader's fault
	missed atomic.Int32  // pings in a row without a pong

	mu      sync.Mutex
	out     []dialect.Event // what waits for the writer, at most outQueue
	room    chan struct{}   // closed when there is room in out again; nil: nobody waits for it
	pings   bool            // the writer is to ping
	writing bool            // the writer is there, or the connection is closed
	done    bool            // no task may begin any more

	ending   chan struct{} // closed when the server wants to end
	endOnce  sync.Once
	farewell farewell // why; set before ending is closed
}

// talk is what goes on over a socket in one dialect. Only the reader calls it.
type talk interface {
	// begin is called once, before the first frame is read. Its error is told to the client.
	begin(ctx context.Context) error
	// take does what a command asks. Its error is the answer.
	take(ctx context.Context, cmd dialect.Command) error
	// refuse says what answers a frame that is no command.
	refuse(err *dialect.Refused) error
}

// call is a request to open a socket that may have one.
type call struct {
	dialect  dialect.Dialect
	protocol string // the subprotocol to select when it is offered; empty: none
	guest    guest
	session  domain.SessionID
	log      []any // who it is, for the log
	talk     func(*socket) talk
}

// serve upgrades the request and leaves the connection to goroutines of its own. The caller has checked the origin.
func (s *Surface) serve(w http.ResponseWriter, r *http.Request, is call) error {
	place, err := s.guests.enter(is.guest, is.session)
	if err != nil {
		return err
	}
	entered := false
	defer func() {
		if !entered {
			place.leave()
		}
	}()
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeUpgradeRequired, Msg: "this is a WebSocket: ask for an upgrade"}
	}
	if r.Header.Get("Sec-WebSocket-Version") != "13" {
		w.Header().Set("Sec-WebSocket-Version", "13")
		return &domain.Error{Kind: domain.Invalid, Code: domain.CodeUpgradeRequired, Msg: "this WebSocket is of version 13, as of RFC 6455"}
	}
	g := &grip{ResponseWriter: w}
	var protocols []string
	if is.protocol != "" {
		protocols = []string{is.protocol}
	}
	var c *socket
	conn, err := websocket.Accept(g, r, &websocket.AcceptOptions{Subprotocols: protocols, InsecureSkipVerify: true,
		OnPingReceived: func(context.Context, []byte) bool { c.controlled(); return true },
		OnPongReceived: func(context.Context, []byte) { c.controlled() },
	})
	if err != nil {
		s.log.DebugContext(r.Context(), "no socket came of an upgrade", "err", err) // Accept has answered
		return nil
	}
	if tcp, ok := g.conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(kernelQueue)
	}
	conn.SetReadLimit(-1) // read bounds frames itself, so that the peer learns why
	c = &socket{
		s: s, d: is.dialect, path: strings.Clone(r.URL.Path), place: place, log: is.log, conn: conn, raw: g.conn, in: g.in, frames: newBucket(s.limits.Frames),
		turn: make(chan struct{}, 1), ending: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background()) // it outlives the request, and keeps nothing of it
	c.talk = is.talk(c)
	entered = true
	go c.serve()
	return nil
}

// serve is the socket's life. The request's own goroutine has gone by then, and with it what it took up.
func (c *socket) serve() {
	defer c.place.leave()
	defer c.stop()
	defer c.s.rounds.enter(c)()
	c.place.whenAsked(func() { c.end(c.place.farewell()) })
	if c.d.Greets() {
		c.hello = time.AfterFunc(c.s.limits.HelloWithin, func() { c.end(helloTimeout) })
		defer c.greeted()
	}
	if c.guarded(c.read) != nil {
		c.stop()
	}
	<-c.ctx.Done()
	c.mu.Lock()
	c.done = true
	c.mu.Unlock()
	c.tasks.Wait()
}

// stop ends the connection at once, without a farewell.
func (c *socket) stop() {
	c.cancel()
	_ = c.raw.Close()
}

// beside does something beside the reader, unless all is over. Its error ends the connection.
func (c *socket) beside(do func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.done {
		c.tasks.Go(func() {
			if c.guarded(do) != nil {
				c.stop()
			}
		})
	}
}

// greeted is called once the client has said hello, or will not any more.
func (c *socket) greeted() {
	if c.hello != nil {
		c.hello.Stop()
		c.hello = nil
	}
}

func (c *socket) guarded(f func() error) error { return c.s.guarded(c.log, f) }

// guarded keeps a bug that one visitor has found from ending everybody's process, as net/http does for requests.
func (s *Surface) guarded(who []any, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.With(who...).Error("panic", "value", v, "stack", string(debug.Stack()))
			err = errOver
		}
	}()
	return f()
}

// end asks the writer to end the connection. Only the first farewell counts.
func (c *socket) end(f farewell) {
	c.endOnce.Do(func() {
		c.farewell = f
		close(c.ending)
		if f.bye == nil {
			c.s.log.With(c.log...).Info("socket ended", "code", int(f.code), "reason", f.reason)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.rouse()
	})
}

func (c *socket) over() bool {
	select {
	case <-c.ending:
		return true
	default:
		return false
	}
}

func (c *socket) logFailure(err error) {
	c.s.logFailure(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: c.path}}, err)
}

// outliving is a request as a talk may keep it, whose handler has returned by then.
func outliving(r *http.Request) *http.Request {
	return r.WithContext(context.WithoutCancel(r.Context()))
}

// grip keeps hold of the connection under a socket: the library bounds every operation but the skipping of a frame nobody wants.
// It also gives the library buffers that fit what visitors say: most of them are silent most of the time.
type grip struct {
	http.ResponseWriter
	conn net.Conn
	in   *inlet
}

// Hijack is http.Hijacker.
func (g *grip) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, was, err := http.NewResponseController(g.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	g.conn = conn
	early, _ := was.Reader.Peek(was.Reader.Buffered()) // what came along with the request
	w := bufio.NewWriterSize(conn, writeBuffer)
	if g.in = newInlet(conn, bytes.Clone(early)); g.in != nil {
		return g.in, bufio.NewReadWriter(bufio.NewReaderSize(g.in, libraryBuffer), w), nil
	}
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn), max(readBuffer, len(early)))
	if _, err := r.Peek(len(early)); err != nil {
		return nil, nil, err
	}
	return conn, bufio.NewReadWriter(r, w), nil
}
