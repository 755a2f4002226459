package ledger

import (
	"context"
	"crypto/tls"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// askAfter is how long a connection may lie idle before it is asked whether the server is still there: whatever stands between may have
// forgotten it without telling either side.
const askAfter = 2 * time.Minute

// doubtful reports whether a pooled connection must prove with a question of its own, which costs a transaction, that it is good. One
// that the server has ended, as after a restart, shows it by what lies there to be read.
func doubtful(_ context.Context, p pgxpool.ShouldPingParams) bool {
	return p.IdleDuration > askAfter || !hushed(p.Conn.PgConn().Conn())
}

// hushed reports whether nothing has come over a connection that waits for no answer, not even its end. It takes nothing away and does
// not wait, not even for pgx, which may have a read under way since it had much to write.
func hushed(c net.Conn) bool {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	var came error
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		_, _, came = syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && (came == syscall.EAGAIN || came == syscall.EWOULDBLOCK)
}
