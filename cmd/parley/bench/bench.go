// Package bench puts load on a Parley and checks that it keeps its promises while under it: it plays visitors at a widget, over
// every transport, and holds what they were told against what is stored. It must know nothing but the public protocol, as
// written in handlers/dialect/README.md: no package of the server may be imported here.
package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options say what load to make. Either Messages or Duration bounds it.
type Options struct {
	URLs      []string // of the nodes, such as https://chat.example.com; visitors change the node on every reconnect
	Widget    string   // public key
	Origin    string   // of the page that embeds the widget; empty: the first node itself
	Visitors  int
	Rate      int // messages a second, of all visitors together; 0 = as fast as acks allow
	Messages  int // 0: as many as fit in Duration
	Duration  time.Duration
	Transport Transport
	Chaos     bool
	Echo      bool          // the widget's agent repeats what it is told: check that each line is answered once
	Patience  time.Duration // how long nothing may happen to a visitor that waits (30 s)
	Progress  func(said, acked int)
}

// load is one run.
type load struct {
	o      Options
	doors  []door
	client *http.Client
	pace   *pace
	tally  *tally
	chaos  chaos
	window int // lines a visitor may have on their way
}

const (
	arrivals      = 8                // sessions opened, and histories read, at a time
	grace         = 10 * time.Second // for what was begun when the run is interrupted
	progressEvery = 5 * time.Second
)

// Run makes the load and returns what came of it. When ctx ends it stops early and reports what there is, with Interrupted set.
// It fails when the server does not let visitors in at all; broken promises are in the report.
func Run(ctx context.Context, o Options) (Report, error) {
	l, err := newLoad(o)
	if err != nil {
		return Report{}, err
	}
	defer l.client.CloseIdleConnections() // a server that stops waits for those
	visitors, err := l.arrive(ctx)
	if ctx.Err() != nil {
		return Report{}, errors.New("interrupted before anybody said anything")
	} else if err != nil {
		return Report{}, err
	}
	// Visitors live on when ctx ends: there is still to hear what they were promised.
	living, die := context.WithCancel(context.WithoutCancel(ctx))
	defer die()
	lives, living := errgroup.WithContext(living)
	for _, v := range visitors {
		lives.Go(func() error { return v.run(living) })
	}
	err = l.talk(ctx, living, visitors)
	if err == nil && living.Err() == nil {
		err = l.remember(living, visitors)
	}
	die()
	if err := errors.Join(lives.Wait(), err); err != nil {
		return Report{}, err
	}
	want := expectation{echo: o.Echo, finished: ctx.Err() == nil}
	var found []Violation
	for _, v := range visitors {
		found = append(found, check(&v.journal, want)...)
	}
	return l.tally.report(o, found, ctx.Err() != nil), nil
}

func newLoad(o Options) (*load, error) {
	if len(o.URLs) == 0 || o.Widget == "" {
		return nil, errors.New("bench: a server and a widget are needed")
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	l := &load{o: o, pace: newPace(o), tally: newTally(), chaos: chaos(o.Chaos), window: 8}
	if o.Rate == 0 && !o.Chaos {
		l.window = 1
	}
	l.client = &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2 * o.Visitors, IdleConnTimeout: time.Minute,
		ResponseHeaderTimeout: pollWithin, DisableCompression: true,
	}}
	for _, raw := range o.URLs {
		u, err := url.Parse(strings.TrimRight(raw, "/"))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("the server's URL must look like https://chat.example.com, not %q", raw)
		}
		origin := o.Origin
		if origin == "" {
			origin = u.Scheme + "://" + u.Host
		}
		l.doors = append(l.doors, door{base: u.String() + "/w/" + url.PathEscape(o.Widget), origin: origin, client: l.client})
	}
	return l, nil
}

// arrive opens a session for each visitor, a few at a time.
func (l *load) arrive(ctx context.Context) ([]*visitor, error) {
	visitors := make([]*visitor, l.o.Visitors)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(arrivals)
	for n := range visitors {
		g.Go(func() error {
			var token string
			err := l.insist(ctx, func() (err error) {
				token, err = l.doors[n%len(l.doors)].enter(ctx)
				return err
			})
			visitors[n] = newVisitor(l, n, token)
			return err
		})
	}
	return visitors, g.Wait()
}

// insist tries again what a server refuses for now.
func (l *load) insist(ctx context.Context, do func() error) error {
	for failures := 1; ; failures++ {
		err := do()
		no, isNo := errors.AsType[*refusal](err)
		if !isNo || !no.passing() || failures > 10 {
			return err
		}
		l.tally.fault(no.Code)
		if pause(ctx, l.tally.slowed(no, failures)); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// talk lets visitors say what is to be said and waits until all is acknowledged and answered, or nothing comes any more. It fails
// when not one of them gets through.
func (l *load) talk(ctx, living context.Context, visitors []*visitor) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(living, stop)()
	reporting, quiet := context.WithCancel(ctx)
	var reporter sync.WaitGroup
	defer reporter.Wait()
	defer quiet()
	reporter.Go(func() { l.report(reporting) })

	var through atomic.Int64
	each(visitors, func(v *visitor) {
		if v.await(ctx, l.o.Patience, func() bool { return v.arrived }) == nil {
			through.Add(1)
		}
	})
	if through.Load() == 0 && ctx.Err() == nil {
		return fmt.Errorf("no visitor got through within %v: %s", l.o.Patience, l.tally.complaints())
	}
	l.tally.begin()
	if l.o.Rate == 0 {
		each(visitors, (*visitor).begin)
	} else {
		l.pace.hand(ctx, visitors)
		each(visitors, func(v *visitor) { v.end(false) })
	}
	each(visitors, func(v *visitor) { _ = v.await(ctx, l.o.Patience, v.spoken) }) // what is missing the check will find
	if ctx.Err() != nil {
		late, cancel := context.WithTimeout(living, grace)
		defer cancel()
		each(visitors, func(v *visitor) {
			v.end(true)
			_ = v.await(late, grace, v.spoken)
		})
	}
	l.tally.end()
	if l.o.Echo {
		each(visitors, func(v *visitor) { _ = v.await(ctx, l.o.Patience, v.answered) })
	}
	return nil
}

// remember reads what is stored and waits until the visitors have heard all of it.
func (l *load) remember(ctx context.Context, visitors []*visitor) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(arrivals)
	for n, v := range visitors {
		g.Go(func() error {
			var history []frame
			var last int64
			err := l.insist(ctx, func() (err error) {
				history, last, err = l.doors[n%len(l.doors)].history(ctx, v.token)
				return err
			})
			if err != nil {
				return fmt.Errorf("the history cannot be read: %w", err)
			}
			v.mu.Lock()
			v.journal.history, v.journal.lastSeq = history, last
			v.mu.Unlock()
			_ = v.await(ctx, l.o.Patience, func() bool { return v.cursor >= last }) // what is missing the check will find
			return nil
		})
	}
	return g.Wait()
}

func (l *load) report(ctx context.Context) {
	if l.o.Progress == nil {
		return
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.o.Progress(l.tally.sofar())
		}
	}
}
