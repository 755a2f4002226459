package relay_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// natsAt runs a NATS server on a port of this machine, 0 for any that is free, until stop.
func natsAt(t *testing.T, port int) (at int, stop func()) {
	t.Helper()
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, NoSystemAccount: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("NATS does not start")
	}
	stop = sync.OnceFunc(func() { s.Shutdown(); s.WaitForShutdown() })
	t.Cleanup(stop)
	var ports *server.Ports
	for ports == nil {
		ports = s.PortsInfo(time.Second)
	}
	_, err = fmt.Sscanf(ports.Nats[0], "nats://127.0.0.1:%d", &at)
	if err != nil {
		t.Fatal(err)
	}
	return at, stop
}

// over makes a relay without sweeps whose hints go over NATS; heard gets the content of those of other nodes.
func over(t *testing.T, l *ledger.Ledger, port int, identity string, heard chan string) *relay.Relay {
	t.Helper()
	plane, err := relay.NewNATS(fmt.Sprintf("nats://127.0.0.1:%d", port), identity, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return start(t, l, func(r *relay.Relay) {
		r.Over(plane)
		r.SweepEvery(time.Hour)
		r.OnHint(func(h relay.Hint) {
			select {
			case heard <- h.Content:
			default:
			}
		})
	})
}

// awaitHint sends hints from one node until another has heard one: hints are lost as long as it does not listen.
func awaitHint(t *testing.T, from *relay.Relay, heard <-chan string, content string) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		from.Hint(relay.Hint{Thread: "t", Kind: relay.Delta, Content: content})
		select {
		case got := <-heard:
			if got == content {
				return
			}
		case <-late:
			t.Fatalf("the other node never heard %q", content)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// What a node writes is told on the other over NATS alone: nobody sweeps. It stays so after NATS was away, and what was written
// meanwhile is told as soon as it is back.
func TestNATSCarriesHints(t *testing.T) {
	t.Parallel()
	port, stop := natsAt(t, 0)
	dsn := ledgertest.DSN(t)
	near, far := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, near)
	heard := make(chan string, 100)
	reader, writer := over(t, near, port, "one", heard), over(t, far, port, "one", nil)
	awaitHint(t, writer, heard, "hello")
	const lines = 50
	done := make(chan struct{})
	go func() {
		defer close(done)
		wantSeqs(t, until(t, reader, f, 0, reached(2*lines)), 1, 2*lines)
	}()
	write := func(when string) {
		t.Helper()
		for i := range lines {
			if err := say(far, f, fmt.Sprint(when, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("before")
	stop()
	write("meanwhile") // nobody can tell
	natsAt(t, port)
	<-done
	awaitHint(t, writer, heard, "back")
}

// A node that comes to a NATS that is not there yet serves, and hears of others when it is.
func TestNATSMayComeLater(t *testing.T) {
	t.Parallel()
	port, stop := natsAt(t, 0)
	stop()
	dsn := ledgertest.DSN(t)
	heard := make(chan string, 100)
	over(t, ledgertest.Open(t, dsn), port, "one", heard)
	other := over(t, ledgertest.Open(t, dsn), port, "one", nil)
	natsAt(t, port)
	awaitHint(t, other, heard, "hello")
}

// Installations that share a NATS hear nothing of each other.
func TestNATSKeepsInstallationsApart(t *testing.T) {
	t.Parallel()
	port, _ := natsAt(t, 0)
	dsn := ledgertest.DSN(t)
	heard, foreign := make(chan string, 100), make(chan string, 100)
	over(t, ledgertest.Open(t, dsn), port, "one", heard)
	over(t, ledgertest.Open(t, dsn), port, "two", foreign)
	from, other := over(t, ledgertest.Open(t, dsn), port, "one", nil), over(t, ledgertest.Open(t, dsn), port, "two", nil)
	awaitHint(t, other, foreign, "ours") // both listen
	awaitHint(t, from, heard, "secret")
	other.Hint(relay.Hint{Thread: "t", Kind: relay.Delta, Content: "end"})
	for got := ""; got != "end"; {
		if got = <-foreign; got == "secret" {
			t.Fatal("another installation heard a hint")
		}
	}
}

func TestCheckNATS(t *testing.T) {
	t.Parallel()
	for servers, fits := range map[string]bool{
		"nats://localhost:4222":                  true,
		"nats://user:secret@a:4222,tls://b:4222": true,
		"wss://nats.example.com":                 true,
		"nats://":                                false,
		"redis://localhost":                      false,
		"localhost:4222":                         false,
		"nats://a:4222,":                         false,
		"nats://a b":                             false,
	} {
		if err := relay.CheckNATS(servers); (err == nil) != fits {
			t.Errorf("%q: %v", servers, err)
		}
	}
}
