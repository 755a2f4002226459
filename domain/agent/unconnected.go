package agent

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// unconnected says in a few fixed words why dialling failed. The words never quote the error, which may hold addresses and
// what the other side sent; reached tells that somebody picked up. What our own guard refuses, it will refuse again.
func unconnected(err error, reached bool) *Failure {
	f := outage("could not connect", err)
	if r, ok := errors.AsType[*Refused](err); ok {
		f.Permanent = true
		f.Reason += ": " + guarded(r)
		return f
	}
	if why := dialFault(err, reached); why != "" {
		f.Reason += ": " + why
	}
	return f
}

// guarded names the setting only where changing it would help.
func guarded(r *Refused) string {
	if (&Outbound{}).Allows(r.Addr) {
		return "refused by PARLEY_OUTBOUND"
	}
	return "its address is not allowed"
}

// dialFault is empty for a failure that has no name here.
func dialFault(err error, reached bool) string {
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		switch {
		case d.IsNotFound:
			return "no such host"
		case d.IsTimeout:
			return "the name lookup timed out"
		}
		return "the name lookup failed"
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	case errors.Is(err, syscall.EHOSTUNREACH):
		return "no route to host"
	case errors.Is(err, syscall.ENETUNREACH):
		return "network unreachable"
	case ok && timeout.Timeout():
		return "timed out"
	case reached:
		return "it does not speak WebSocket"
	}
	return ""
}

// Unreached says in the same words why a request to somebody of the owner's found nobody; final tells that our own guard refused it.
func Unreached(err error) (reason string, final bool) {
	f := unconnected(err, false)
	return f.Reason, f.Permanent
}
