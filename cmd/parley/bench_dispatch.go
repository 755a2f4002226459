package main

import (
	"context"
	"errors"
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

// benchDispatch has one visitor greet the builtin agent, which answers at once, and reads from the ledger what that took: no
// network, no other process and no other load is in it. A raw commit after each turn is the measure of the database.
func benchDispatch(ctx context.Context, l *ledger.Ledger, url string) (d *bench.Dispatch, err error) {
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
	var commits, claims, answers []time.Duration
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
	turns, err := l.TurnTimes(ctx, w.OrgID, w.ID)
	for _, t := range turns {
		claims, answers = append(claims, t.Begun), append(answers, t.Answered)
	}
	return bench.NewDispatch(claims, answers, commits), err
}
