package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// Transport is how a visitor hears and speaks.
type Transport string

// The transports of the protocol, and all of them side by side.
const (
	Socket Transport = "ws"
	Stream Transport = "sse"
	Poll   Transport = "poll"
	Mix    Transport = "mix"
)

var tiers = []Transport{Socket, Stream, Poll}

// connection is one way to the server, open. One goroutine calls next, another say; cut may be called by anybody, at any time.
type connection interface {
	// next waits for a frame. It fails once the connection is over, for whatever reason.
	next(ctx context.Context) (frame, error)
	// say sends a line. The ack is nil where it comes as a frame. It fails with *refusal if the server refuses the line here and
	// now; any other failure means that nobody knows whether it arrived.
	say(ctx context.Context, m message) (ack *frame, err error)
	// cut ends the connection without a word.
	cut()
}

// dial opens a connection of a certain kind on which everything after a cursor is told.
func (d door) dial(ctx context.Context, kind Transport, token string, after int64) (connection, error) {
	switch kind {
	case Socket:
		return d.dialSocket(ctx, token, after)
	case Stream:
		return d.dialStream(ctx, token, after)
	case Poll:
		return d.dialPoll(token, after), nil
	}
	return nil, fmt.Errorf("bench: no transport is called %q", kind)
}

// pick is the transport of the nth visitor's next connection. In a mix each visitor keeps its own, but chaos deals them anew.
func (t Transport) pick(visitor int, chaos bool) Transport {
	switch {
	case t != Mix:
		return t
	case chaos:
		return tiers[rand.IntN(len(tiers))]
	}
	return tiers[visitor%len(tiers)]
}
