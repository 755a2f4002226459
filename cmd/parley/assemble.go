package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
	"github.com/parley-chat/parley/domain/replay"
	"github.com/parley-chat/parley/handlers"
	"github.com/parley-chat/parley/handlers/api"
	"github.com/parley-chat/parley/handlers/bridge"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/handlers/mcp"
	"github.com/parley-chat/parley/handlers/portal"
	"github.com/parley-chat/parley/handlers/widget"
)

// parts are the program's parts, put together.
type parts struct {
	ledger     *ledger.Ledger
	relay      *relay.Relay
	dispatcher *dispatch.Dispatcher
	chat       *chat.Service
	courier    *dispatch.Courier
	typing     *dispatch.ChatwootTyping
	replays    *replay.Service
	widget     *widget.Surface
	portal     *portal.Portal
	handler    http.Handler
	traces     *traces // nil: nobody wants any
	readSites  func(context.Context) error
	draining   atomic.Bool
	log        *slog.Logger
}

// assemble makes all parts and connects them. Nothing runs yet.
func (c config) assemble(ctx context.Context, l *ledger.Ledger, demo bool) (*parts, error) {
	r, err := c.newRelay(ctx, l)
	if err != nil {
		return nil, err
	}
	accounts := account.New(l)
	accounts.PublicURL = c.publicURL
	p := &parts{ledger: l, log: c.log, relay: r}
	var demoKey string
	if demo {
		w, err := accounts.EnsureDemo(ctx)
		if err != nil {
			return nil, err
		}
		demoKey = w.Key
	}
	outbound := &agent.Outbound{Public: c.outboundPublic}
	deps := agent.Deps{Knowledge: l, Contacts: l, Purse: l, Outbound: outbound, Lists: &agent.ToolLists{}, Log: c.log}
	voice := func(a domain.Agent) (agent.Runtime, error) { return agent.New(a, deps) }
	try := func(ctx context.Context, a domain.Agent) domain.AgentTest { return agent.Try(ctx, a, deps) }
	chatwoot := &dispatch.Chatwoot{Ledger: l, Outbound: outbound, PublicURL: c.ownURL}
	tryChannel := func(ctx context.Context, c domain.Channel) domain.ChannelTest { return chatwoot.Try(ctx, c) }
	p.readSites = func(ctx context.Context) error { return accounts.ReadSites(ctx, deps.Outbound.Client(), c.log) }
	p.typing = dispatch.NewChatwootTyping(chatwoot, c.log)
	p.courier = c.newCourier(l, outbound, chatwoot)
	p.dispatcher = dispatch.New(l, p.relay, voice, dispatch.Options{Log: c.log, PublicURL: c.ownURL, Typing: p.typing.Set})

	p.replays = c.replays(l)
	service := chat.New(l, p.relay, c.log)
	service.Places = c.geo.places(l, c.log)
	p.chat = service
	hosts := &edge.Hosts{}
	p.widget = widget.New(widget.Deps{Chat: service, Relay: p.relay, PublicURL: c.publicURL, Hosts: hosts, Log: c.log, Demo: demoKey, TriggerfishWidget: c.triggerfishWidget, Operator: operators(accounts)})
	p.portal = portal.New(portal.Deps{
		Chat: service, Account: accounts, Replays: p.replays, Relay: p.relay, TryAgent: try, TryChannel: tryChannel, PublicURL: c.publicURL, Hosts: hosts, DemoKey: demoKey, Log: c.log,
	})
	var around func(http.Handler) http.Handler
	if p.traces, err = c.newTraces(ctx); err != nil {
		return nil, err
	}
	if p.traces != nil {
		p.traces.hear(p.dispatcher, p.courier)
		around = p.traces.requests
	}
	p.handler = handlers.Routes(handlers.Surfaces{
		Trace:  around,
		Widget: p.widget, Portal: p.portal, RootSocket: p.widget.Triggerfish,
		Bridge:   &bridge.Construct{Chat: service, Log: c.log, Operator: p.widget.Operator},
		Chatwoot: &bridge.Chatwoot{Chat: service, Log: c.log, Quiet: func(org domain.OrgID, t domain.ThreadID) { p.typing.Set(org, t, false) }}, Log: c.log, TrustedProxies: c.trustedProxies,
		API:     api.New(api.Deps{Chat: service, Account: accounts, Replays: p.replays, Answers: l, TryAgent: try, TryChannel: tryChannel, Version: currentVersion(), PublicURL: c.publicURL, Log: c.log}),
		MCP:     mcp.New(mcp.Deps{Chat: service, Account: accounts, TryAgent: try, Version: currentVersion(), PublicURL: c.publicURL, Log: c.log}),
		Health:  func(ctx context.Context) error { return l.Ping(ctx) },
		Ready:   func() bool { return !p.draining.Load() },
		Metrics: newMetrics(l, p.dispatcher, p.courier, p.widget.Connections).handler(),
		Version: currentVersion(),
	})
	return p, nil
}

// forgetAtOnce is how many steps one statement takes the details of, so that none holds its locks for long.
const forgetAtOnce = 1000

// forget takes details out of the flight recorder that are older than their organisation keeps them.
func (p *parts) forget(ctx context.Context) error {
	for {
		n, err := p.ledger.SweepSteps(ctx, time.Now(), forgetAtOnce)
		if err != nil || n < forgetAtOnce {
			return err
		}
	}
}

const (
	searchableEvery = time.Minute
	searchableOnce  = 100 // threads a transaction
	searchableShare = 9   // times as long as each took, nothing is done: after an upgrade there are the lines of years
)

// makeSearchable keeps the search's index up with what is said, until ctx ends.
func (p *parts) makeSearchable(ctx context.Context) error {
	for {
		began := time.Now()
		n, err := p.ledger.MakeSearchable(ctx, searchableOnce)
		if err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "could not index what was said, the next round tries again: searches are slower meanwhile", "err", err)
		}
		rest := searchableEvery
		if n == searchableOnce {
			rest = min(rest, searchableShare*time.Since(began))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rest):
		}
	}
}

// newCourier knows webhooks, and the other ways out that are configured.
func (c config) newCourier(l *ledger.Ledger, outbound *agent.Outbound, chatwoot *dispatch.Chatwoot) *dispatch.Courier {
	transports := map[string]dispatch.Transport{
		ledger.TransportReplyURL: &dispatch.ReplyURL{Ledger: l, Outbound: outbound, PublicURL: c.ownURL},
		ledger.TransportChatwoot: chatwoot,
		ledger.TransportWebhook:  &dispatch.Webhook{Ledger: l, Outbound: outbound, PublicURL: c.ownURL, Log: c.log},
	}
	if c.smtp != nil {
		transports[ledger.TransportMail] = &dispatch.Mail{SMTP: *c.smtp, PublicURL: c.publicURL, Ledger: l}
		l.Mails()
	}
	return dispatch.NewCourier(l, transports, c.log)
}

const choresEvery = 10 * time.Minute

// chores throws away what has had its time, until ctx ends.
func (p *parts) chores(ctx context.Context) error {
	tick := time.NewTicker(choresEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := errors.Join(p.ledger.SweepIdempotent(ctx), p.ledger.SweepUploads(ctx), p.ledger.SweepSpend(ctx),
			p.ledger.SweepReplays(ctx), p.ledger.SweepTexts(ctx), p.ledger.SweepPlaces(ctx), p.ledger.SweepDeliveries(ctx), p.ledger.SweepVisits(ctx), p.ledger.SweepChatwootReports(ctx)); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "chores failed, the next round tries again", "err", err)
		}
		if err := p.forget(ctx); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "could not take old details out of the flight recorder, the next round tries again", "err", err)
		}
	}
}
