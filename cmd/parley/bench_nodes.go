package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/parley-chat/parley/cmd/parley/bench"
	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
)

// benchOrg is the organisation whose widgets bench talks to. What was said there stays, for whoever wants to look into it.
const benchOrg = "parley-bench"

// withBenchNodes starts so many nodes on the configured database, and an echo agent if one is wanted, and runs f while they run.
// With dispatch f can measure what the nodes themselves cost. It fails if a node does. The nodes outlive ctx until f returns.
func (c config) withBenchNodes(ctx context.Context, nodes int, echo bool, f func(urls []string, widget string, dispatch measureDispatch) error) error {
	db, err := openDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer db.close()
	l, err := c.openLedger(ctx, db.dsn)
	if err != nil {
		return err
	}
	defer l.Close()
	if _, err := ledger.MigrateUp(ctx, l.DB()); err != nil {
		return err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	g, running := errgroup.WithContext(running)
	defer func() { stop(); _ = g.Wait() }() // whatever went wrong below
	var agentURL string
	if echo {
		if agentURL, err = startEcho(running, g); err != nil {
			return err
		}
	}
	var commits commitTimes
	var urls []string
	for range nodes {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		urls = append(urls, "http://"+listener.Addr().String())
		g.Go(func() error { return c.benchNode(running, db, listener, &commits) })
	}
	agent, err := echoAgent(agentURL)
	if err != nil {
		return err
	}
	widget, forget, err := benchWidget(ctx, l, agent)
	if err != nil {
		return err
	}
	err = f(urls, widget.Key, func(ctx context.Context) (*bench.Dispatch, error) { return benchDispatch(ctx, l, &commits, urls[0]) })
	stop()
	return errors.Join(err, g.Wait(), forget(context.WithoutCancel(ctx)))
}

// benchNode is serve, on a ledger of its own as in a process of its own.
func (c config) benchNode(ctx context.Context, db *database, listener net.Listener, commits *commitTimes) error {
	defer listener.Close()
	l, err := c.openLedger(ctx, db.dsn)
	if err != nil {
		return err
	}
	defer l.Close()
	l.OnCommit(commits.heard)
	return c.serve(ctx, l, listener, db, false, io.Discard)
}

// startEcho runs an agent that repeats what it is told, at once, until ctx ends, and returns where.
func startEcho(ctx context.Context, g *errgroup.Group) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{
		Handler: newMockAgent("echo", 0), ReadHeaderTimeout: headerTimeout,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	g.Go(func() error { return serveHTTP(srv, listener) })
	g.Go(func() error {
		<-ctx.Done()
		return srv.Close()
	})
	return "ws://" + listener.Addr().String() + "/", nil
}

const forgetWithin = 10 * time.Second

// echoAgent is the agent at a URL; nil without one.
func echoAgent(url string) (*account.AgentInput, error) {
	if url == "" {
		return nil, nil
	}
	config, err := json.Marshal(map[string]string{"url": url})
	return &account.AgentInput{Name: "Echo", Kind: domain.AgentWebSocket, Config: config}, err
}

// benchWidget makes a widget with limits that stand in nobody's way, bound to the agent if there is one, which waits for no second
// line. forget takes both away again: the agent is not there for anybody else.
func benchWidget(ctx context.Context, l *ledger.Ledger, agent *account.AgentInput) (w domain.Widget, forget func(context.Context) error, err error) {
	accounts := account.New(l)
	org, _, err := l.EnsureOrganisation(ctx, domain.Organisation{
		ID: ledger.NewID[domain.OrgID](), Name: "Parley bench", Slug: benchOrg, CreatedAt: time.Now(),
	})
	if err != nil {
		return w, nil, err
	}
	in := accounts.DefaultWidget()
	in.Name, in.AllowedOrigins = "Bench", []string{domain.AnyOrigin}
	in.RateMessages, in.RateWindowSecs = 1000, 1 // the most that a widget can allow
	if agent != nil {
		a := domain.NewAgent(org.ID, agent.Name, agent.Kind)
		agent.Enabled, agent.SendMode, agent.SettleMS, agent.MaxAttempts = true, a.SendMode, 0, a.MaxAttempts
		agent.MaxConcurrent = 1000 // the most that an agent can be allowed: what is measured is the server
		if a, err = accounts.CreateAgent(ctx, org.ID, *agent); err != nil {
			return w, nil, fmt.Errorf("the agent to measure with cannot be made: %w", err)
		}
		in.AgentID = a.ID
	}
	if w, err = accounts.CreateWidget(ctx, org.ID, in); err != nil {
		return w, nil, err
	}
	in.DailyCap = 0 // none, which a new widget cannot say
	if _, err := accounts.UpdateWidget(ctx, org.ID, w.ID, in); err != nil {
		return w, nil, err
	}
	return w, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, forgetWithin)
		defer cancel()
		err := accounts.DeleteWidget(ctx, org.ID, w.ID)
		if in.AgentID != "" {
			err = errors.Join(err, accounts.DeleteAgent(ctx, org.ID, in.AgentID))
		}
		return err
	}, nil
}
