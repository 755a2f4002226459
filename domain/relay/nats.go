package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// NATS is a backplane for more nodes than one Postgres can wake: every NOTIFY wakes every listening connection of its database.
// What is sent while the line to NATS is down is lost, and found by the sweep.
type NATS struct {
	conn    *nats.Conn
	subject string
	up      chan struct{} // holds a token each time the line has come up
	log     *slog.Logger
}

const (
	natsRetry  = 500 * time.Millisecond // between two attempts to get a lost line back; up to as much again at random
	natsAnswer = 5 * time.Second        // for the server to answer
)

// CheckNATS says what is wrong with the address of a NATS server, or with a list of such with commas between them.
func CheckNATS(servers string) error {
	for s := range strings.SplitSeq(servers, ",") {
		u, err := url.Parse(strings.TrimSpace(s))
		if err != nil || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) || u.Hostname() == "" {
			return errors.New("look like nats://user:password@host:4222, or several of these with commas between them")
		}
	}
	return nil
}

// NewNATS makes the backplane of the installation that has the given identity. Several may share servers. No line has to be up
// yet: it comes up when it can, and again whenever it was lost. Listen closes it in the end.
func NewNATS(servers, identity string, log *slog.Logger) (*NATS, error) {
	n := &NATS{subject: "parley." + identity + ".hints", up: make(chan struct{}, 1), log: log}
	ready := func(*nats.Conn) {
		select {
		case n.up <- struct{}{}:
		default:
		}
	}
	var err error
	n.conn, err = nats.Connect(servers, nats.Name("parley"), nats.NoEcho(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(natsRetry), nats.ReconnectJitter(natsRetry, natsRetry),
		nats.ReconnectBufSize(-1), // what cannot go now is stale when it can
		nats.IgnoreAuthErrorAbort(), nats.PingInterval(10*time.Second), nats.MaxPingsOutstanding(2),
		nats.ConnectHandler(ready), nats.ReconnectHandler(ready),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("line to NATS lost", "err", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("NATS", "err", err)
			ready(nil) // it may have dropped what we were too slow to take
		}))
	if err != nil {
		return nil, fmt.Errorf("cannot use NATS: %w", err)
	}
	if !n.conn.IsConnected() {
		log.Warn("NATS is out of reach, other nodes hear of news late until it is there", "err", n.conn.LastError())
	}
	return n, nil
}

// PingNATS says which of the servers answers.
func PingNATS(ctx context.Context, servers string) (string, error) {
	timeout := natsAnswer
	if end, ok := ctx.Deadline(); ok {
		timeout = time.Until(end)
	}
	conn, err := nats.Connect(servers, nats.Name("parley"), nats.Timeout(timeout), nats.NoReconnect())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.ConnectedUrlRedacted(), conn.FlushWithContext(ctx)
}

// Send hands payloads to the nodes that listen now.
func (n *NATS) Send(_ context.Context, payloads []string) error {
	for _, p := range payloads {
		if err := n.conn.Publish(n.subject, []byte(p)); err != nil {
			return err
		}
	}
	return nil
}

// Listen is as Backplane says. It may be called once.
func (n *NATS) Listen(ctx context.Context, resync func(), handle func(payload string)) error {
	defer n.conn.Close()
	_, err := n.conn.Subscribe(n.subject, func(m *nats.Msg) { handle(string(m.Data)) })
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			_ = n.conn.FlushTimeout(time.Second) // what others are still to hear of this node
			return nil
		case <-n.up:
		}
		if err := n.conn.FlushTimeout(natsAnswer); err != nil { // the server has not heard that we listen
			continue
		}
		n.log.InfoContext(ctx, "hints go over NATS", "server", n.conn.ConnectedUrlRedacted())
		resync()
	}
}
