package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
)

type serveCmd struct {
	Demo bool `help:"Make a demo organisation once, and serve a page with its widget at /demo."`
}

const (
	headerTimeout = 10 * time.Second // for a request's headers
	idleTimeout   = 2 * time.Minute  // between two requests of a connection
	drainFor      = 5 * time.Second  // for sockets to hear bye and requests to end
)

// Run serves until ctx ends, then drains: sockets are told to come back later, turns end or are handed back, and the database stops last.
func (c *serveCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	cfg, err := readConfig(env, std.Err)
	if err != nil {
		return err
	}
	if cfg.chatwoot, err = readChatwoot(env); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.addr) // first: a taken port should not cost a start of Postgres
	if err != nil {
		return fmt.Errorf("cannot listen on %s (PARLEY_ADDR): %w", cfg.addr, err)
	}
	defer listener.Close()
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer db.close()
	l, err := cfg.openLedger(ctx, db.dsn)
	if err != nil {
		return err
	}
	defer l.Close()
	applied, err := ledger.MigrateUp(ctx, l.DB())
	if err != nil {
		return err
	}
	for _, name := range applied {
		cfg.log.InfoContext(ctx, "migration applied", "name", name)
	}
	return cfg.serve(ctx, l, listener, db, c.Demo, std.Out)
}

// serve runs all parts on an open ledger until ctx ends or one of them fails.
func (c config) serve(ctx context.Context, l *ledger.Ledger, listener net.Listener, db *database, demo bool, out io.Writer) error {
	c.ownURL = cmp.Or(c.publicURL, "http://"+reachable(listener.Addr()))
	p, err := c.assemble(ctx, l, demo)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: p.handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, // no WriteTimeout: streams set deadlines per write
		ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
	}
	// Everything below outlives ctx for the drain, and ends with this function.
	hints, stopHints := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHints()
	g, running := errgroup.WithContext(ctx)
	g.Go(func() error { return serveHTTP(server, listener) })
	g.Go(func() error { return p.dispatcher.Run(running) })
	g.Go(func() error { return p.courier.Run(running) })
	g.Go(func() error { return p.replays.Run(running) })
	g.Go(func() error { return p.chores(running) })
	g.Go(func() error { return p.makeSearchable(running) })
	g.Go(func() error { return p.readSites(running) })
	g.Go(func() error { return p.chat.Run(running) })
	g.Go(func() error { return p.chat.RecordReports(running) })
	g.Go(func() error { return p.chat.Places.Run(running) })
	g.Go(func() error { return p.widget.Run(running) })
	g.Go(func() error { return p.portal.Run(running) })
	g.Go(func() error { return db.watch(running) })
	if accounts := account.New(l); c.chatwoot != nil && !c.importChatwoot(ctx, accounts) {
		g.Go(func() error { return c.awaitChatwoot(running, accounts) })
	}
	if p.traces != nil {
		traced := make(chan error, 1)
		go func() { traced <- p.traces.Run(hints) }()
		defer func() { stopHints(); <-traced }() // after the drain: its turns are told, too
	}
	relayed := make(chan error, 1)
	go func() { relayed <- p.relay.Run(hints) }()
	g.Go(func() error {
		<-running.Done()
		return p.drain(server)
	})
	c.announce(out, demo)
	err = g.Wait()
	p.quiet(ctx)
	stopHints()
	return errors.Join(err, <-relayed)
}

func serveHTTP(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// drain lets requests and sockets end. What does not end in time is cut: the ledger has what was acknowledged.
func (p *parts) drain(s *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	p.draining.Store(true)
	p.widget.Shutdown(ctx)
	p.portal.Shutdown()
	if err := s.Shutdown(ctx); err != nil {
		return s.Close()
	}
	return nil
}

// quiet lets what is shown in Chatwoot end with the turns that it tells of.
func (p *parts) quiet(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	p.typing.Close(ctx)
}

// watch fails when the embedded Postgres has ended for good.
func (d *database) watch(ctx context.Context) error {
	if d.cluster == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-d.cluster.Done():
		return fmt.Errorf("the embedded Postgres has stopped: %w", d.cluster.Err())
	}
}

// announce tells whoever started the server where everything is.
func (c config) announce(out io.Writer, demo bool) {
	base := c.ownURL
	fmt.Fprintf(out, "\n  Parley %s is ready.\n\n", currentVersion())
	if demo {
		fmt.Fprintf(out, "  Demo page  %s/demo\n", base)
	}
	fmt.Fprintf(out, "  Portal     %s/\n", base)
	if demo {
		fmt.Fprintf(out, "  Sign in    %s  %s\n", account.DemoEmail, account.DemoPassword)
	}
	fmt.Fprintf(out, "  API        %s/api/docs\n\n  Ctrl-C stops it.\n\n", base)
}

// reachable is a listening address as a browser on this machine can open it.
func reachable(addr net.Addr) string {
	s := addr.String()
	for _, all := range []string{"[::]:", "0.0.0.0:"} {
		if port, ok := strings.CutPrefix(s, all); ok {
			return "localhost:" + port
		}
	}
	return s
}

// clusterLog hands Postgres's lines to the log.
type clusterLog struct{ log *slog.Logger }

func (c clusterLog) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		c.log.Debug("postgres", "line", strings.TrimSpace(line))
	}
	return len(p), nil
}
