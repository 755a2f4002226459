package agent

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestUnconnectedSaysWhy(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return fmt.Errorf("GET ws://sesame.example: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	system := func(no syscall.Errno) error { return dial(os.NewSyscallError("connect", no)) }
	for name, tt := range map[string]struct {
		err       error
		reached   bool
		want      string
		permanent bool
	}{
		"refused":       {system(syscall.ECONNREFUSED), false, ": connection refused", false},
		"reset":         {system(syscall.ECONNRESET), true, ": connection closed", false},
		"hung up":       {dial(io.EOF), true, ": connection closed", false},
		"no route":      {system(syscall.EHOSTUNREACH), false, ": no route to host", false},
		"no network":    {system(syscall.ENETUNREACH), false, ": network unreachable", false},
		"kernel's time": {system(syscall.ETIMEDOUT), false, ": timed out", false},
		"deadline":      {dial(os.ErrDeadlineExceeded), false, ": timed out", false},
		"no such host":  {dial(&net.DNSError{Err: "no such host", Name: "sesame.example", IsNotFound: true}), false, ": no such host", false},
		"slow lookup":   {dial(&net.DNSError{Err: "i/o timeout", Name: "sesame.example", IsTimeout: true}), false, ": the name lookup timed out", false},
		"no lookup":     {dial(&net.DNSError{Err: "server misbehaving", Name: "sesame.example"}), false, ": the name lookup failed", false},
		"private":       {dial(&Refused{Addr: netip.MustParseAddr("127.0.0.1")}), false, ": refused by PARLEY_OUTBOUND", true},
		"metadata":      {dial(&Refused{Addr: netip.MustParseAddr("169.254.169.254")}), false, ": its address is not allowed", true},
		"gibberish":     {errors.New("malformed HTTP response sesame"), true, ": it does not speak WebSocket", false},
		"anything else": {errors.New("sesame"), false, "", false},
	} {
		f := unconnected(tt.err, tt.reached)
		if f.Reason != "could not connect"+tt.want || f.Permanent != tt.permanent || !errors.Is(f, tt.err) {
			t.Errorf("%s: %q, permanent %v; want %q", name, f.Reason, f.Permanent, tt.want)
		}
		if strings.Contains(f.Reason, "sesame") {
			t.Errorf("%s quotes the error: %q", name, f.Reason)
		}
	}
}

func TestTryNamesTheSettingThatRefuses(t *testing.T) {
	t.Parallel()
	out := &Outbound{Public: true}
	t.Cleanup(out.Client().CloseIdleConnections)
	got := Try(t.Context(), websocketAgent("ws://"+deaf(t, false)), Deps{Outbound: out})
	if got.OK || got.Error != "could not connect: refused by PARLEY_OUTBOUND" {
		t.Errorf("%+v", got)
	}
}
