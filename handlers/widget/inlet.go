package widget

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// inlet is a connection that is read without a buffer of its own: what has come is in one that is borrowed until it is handed on. Its
// reader waits in wait and not in the WebSocket library, whose way down to the connection takes twice the stack; it is there that an
// idle socket spends its time.
type inlet struct {
	net.Conn
	raw syscall.RawConn

	mu    sync.Mutex // held while waiting: whoever closes reads what has come then, and nothing past it
	got   []byte     // has come and is not handed on
	buf   *inBuffer  // what got is part of; nil: it is nobody else's
	err   error      // of the last attempt
	pause bool       // the library is to come back instead of waiting
}

type inBuffer [4 << 10]byte

var inBuffers = sync.Pool{New: func() any { return new(inBuffer) }}

// errPause has the library come back: nothing has come since the last frame.
var errPause = errors.New("widget: nothing has come")

// libraryBuffer is the size of the library's own reader, which bufio wants no smaller. Read hands it one byte at a time, so that it never
// holds more than what it is asked for, and what has come is nowhere but in got.
const libraryBuffer = 16

// newInlet reads from conn after what came early; nil: conn is none that can be read this way.
func newInlet(conn net.Conn, early []byte) *inlet {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return &inlet{Conn: conn, raw: raw, got: early}
}

// wait returns once something has come, or nothing will.
func (in *inlet) wait() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.fill()
}

// between is called when the library has a whole frame and goes on to the next: it comes back with errPause if that is not there.
func (in *inlet) between() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.pause = true
}

// Read is net.Conn's.
func (in *inlet) Read(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	pause := in.pause
	in.pause = false
	if pause && len(in.got) == 0 {
		return 0, errPause
	}
	if err := in.fill(); err != nil {
		return 0, err
	}
	if len(p) <= libraryBuffer {
		p = p[:min(len(p), 1)]
	}
	n := copy(p, in.got)
	if in.got = in.got[n:]; len(in.got) == 0 {
		in.release()
	}
	return n, nil
}

func (in *inlet) release() {
	if in.buf != nil {
		inBuffers.Put(in.buf)
	}
	in.got, in.buf = nil, nil
}

// fill waits until there is something in got.
func (in *inlet) fill() error {
	if len(in.got) > 0 {
		return nil
	}
	if err := in.raw.Read(in.attempt); err != nil {
		return err
	}
	return in.err
}

// attempt takes what has come. It returns false if that is nothing, and is called again when something has.
func (in *inlet) attempt(fd uintptr) bool {
	in.buf = inBuffers.Get().(*inBuffer)
	for {
		n, err := syscall.Read(int(fd), in.buf[:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			in.release()
			return false
		case err == nil && n > 0:
			in.got, in.err = in.buf[:n], nil
			return true
		case err == nil:
			err = io.EOF
		}
		in.release()
		in.err = err
		return true
	}
}
