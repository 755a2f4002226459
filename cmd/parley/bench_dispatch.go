package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/parley-chat/parley/cmd/parley/bench"
	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
)

// measureDispatch measures what the server itself costs between a question and its answer.
type measureDispatch func(context.Context) (*bench.Dispatch, error)

const (
	greetings   = 100
	greetWithin = 30 * time.Second // for all of them, on however busy a machine
)

// benchDispatch has one visitor greet the builtin agent, which answers at once, and takes the time from the commit of each greeting
// to that of its answer: no network, no other process and no other load is in it. A raw commit after each turn is the measure of
// the database.
func benchDispatch(ctx context.Context, l *ledger.Ledger, times *commitTimes, url string) (d *bench.Dispatch, err error) {
	w, forget, err := benchWidget(ctx, l, &account.AgentInput{Name: "Greeter", Kind: domain.AgentBuiltin})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, forget(context.WithoutCancel(ctx))) }()
	g, err := bench.NewGreeter(ctx, url, w.Key)
	if err != nil {
		return nil, err
	}
	defer g.Leave()
	within, cancel := context.WithTimeout(ctx, greetWithin)
	defer cancel()
	times.watch()
	var commits []time.Duration
	for len(commits) < greetings && within.Err() == nil {
		if err = g.Greet(within); err != nil {
			break
		}
		commit, err := l.RawCommit(within)
		if err != nil {
			break
		}
		commits = append(commits, commit)
	}
	if len(commits) == 0 {
		return nil, errors.Join(errors.New("the builtin agent answered nothing"), err)
	}
	claims, err := l.ClaimTimes(ctx, w.OrgID, w.ID)
	return bench.NewDispatch(claims, times.taken(), commits), err
}

// commitTimes takes the time between the commit of what visitors say and that of the answer. The zero value only waits to be told to.
type commitTimes struct {
	mu      sync.Mutex
	said    map[domain.ThreadID]time.Time // nil: not watching
	answers []time.Duration
}

// watch begins.
func (c *commitTimes) watch() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = map[domain.ThreadID]time.Time{}
}

// heard is told of what was just committed.
func (c *commitTimes) heard(outs []ledger.Outcome) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said == nil {
		return
	}
	for _, o := range outs {
		switch said, asked := c.said[o.Thread.ID]; {
		case o.Message == nil:
		case o.Message.Direction == domain.Inbound:
			c.said[o.Thread.ID] = now
		case asked:
			c.answers = append(c.answers, now.Sub(said))
			delete(c.said, o.Thread.ID)
		}
	}
}

// taken are the times so far.
func (c *commitTimes) taken() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.answers)
}
