package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/replay"
)

type replayCmd struct {
	Thread       string `xor:"what" required:"" help:"The thread to answer again."`
	Golden       bool   `xor:"what" required:"" help:"Answer all golden threads again."`
	Org          string `help:"With --golden: the organisation's slug; without it, all that have golden threads."`
	Agent        string `help:"The agent to answer, by its id; by default the one that did."`
	Instructions string `help:"A file with other instructions (a model's system prompt); - reads them from stdin."`
	Model        string `help:"Another model."`
	Judge        string `help:"The agent that says whether a changed answer is as good, by its id."`
	Drift        bool   `help:"Let later answers see the new ones before them, not what was said then."`
	JSON         bool   `help:"Print JSON."`
}

// Help tells of the exit codes.
func (replayCmd) Help() string {
	return `Every answer that an agent gave is given again, to the conversation as it was then, and compared. Searches are answered from the record; nothing
is stored in the conversation, sent to anybody or changed. What models cost is counted against the budgets.

Exit code 0: nothing is worse. 1: an answer failed, or is another one and no judge found it equivalent. 2: the replay could not be made.`
}

// What the exit code of a replay says.
const (
	replayWorse = 1
	replayError = 2
)

func (c *replayCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	var played []domain.Replay
	err := c.withLedger(ctx, std, env, func(l *ledger.Ledger, s *replay.Service) error {
		order, err := c.order(std)
		if err != nil {
			return err
		}
		asked, err := c.ask(ctx, l, s, order)
		if err != nil {
			return err
		}
		for _, r := range asked {
			made, err := s.Make(ctx, r)
			if err != nil {
				return err
			}
			played = append(played, made)
			if !c.JSON {
				printReplay(std.Out, made)
			}
		}
		return nil
	})
	if err != nil {
		return coded{err, replayError}
	}
	return c.conclude(std, played)
}

func (c *replayCmd) withLedger(ctx context.Context, std *stdio, env getenv, f func(*ledger.Ledger, *replay.Service) error) error {
	return withMigrated(ctx, std, env, func(cfg config, l *ledger.Ledger) error {
		return f(l, cfg.replays(l))
	})
}

// replays makes the service of replays.
func (c config) replays(l *ledger.Ledger) *replay.Service {
	return replay.New(l, replay.Options{Outbound: &agent.Outbound{Public: c.outboundPublic}, PublicURL: c.ownURL, Log: c.log})
}

// order is what the flags say, but for whose thread it is about.
func (c *replayCmd) order(std *stdio) (o replay.Order, err error) {
	o = replay.Order{Drift: c.Drift, By: "command line"}
	if c.Agent != "" {
		if o.AgentID, err = domain.ParseID[domain.AgentID](c.Agent); err != nil {
			return o, err
		}
	}
	if c.Judge != "" {
		if o.JudgeID, err = domain.ParseID[domain.AgentID](c.Judge); err != nil {
			return o, err
		}
	}
	if c.Model != "" {
		o.Override.Model = &c.Model
	}
	if c.Instructions != "" {
		text, err := c.instructions(std)
		if err != nil {
			return o, fmt.Errorf("cannot read the instructions: %w", err)
		}
		o.Override.Instructions = &text
	}
	return o, nil
}

func (c *replayCmd) instructions(std *stdio) (string, error) {
	if c.Instructions == "-" {
		return readAll(std.In)
	}
	f, err := os.Open(c.Instructions)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return readAll(f)
}

// ask orders what is to be replayed. That there is nothing is an error: a check that checks nothing must not pass.
func (c *replayCmd) ask(ctx context.Context, l *ledger.Ledger, s *replay.Service, o replay.Order) ([]domain.Replay, error) {
	if c.Thread != "" {
		thread, err := domain.ParseID[domain.ThreadID](c.Thread)
		if err != nil {
			return nil, err
		}
		if o.OrgID, err = l.OrganisationOf(ctx, thread); err != nil {
			return nil, err
		}
		r, err := s.Ask(ctx, thread, o)
		return []domain.Replay{r}, err
	}
	orgs, err := l.GoldenOrganisations(ctx)
	if c.Org != "" {
		org, err := account.New(l).OrganisationBySlug(ctx, c.Org)
		if err != nil {
			return nil, err
		}
		orgs = []domain.OrgID{org.ID}
	}
	if err != nil {
		return nil, err
	}
	var all []domain.Replay
	for _, o.OrgID = range orgs {
		rs, err := s.AskGolden(ctx, o)
		if err != nil {
			return nil, err
		}
		all = append(all, rs...)
	}
	if len(all) == 0 {
		return nil, errors.New("there are no golden threads: mark one in the portal, or with PUT /api/v1/threads/{id}/golden")
	}
	return all, nil
}

// conclude prints the summary and says how it went.
func (c *replayCmd) conclude(std *stdio, played []domain.Replay) error {
	var sum domain.ReplaySum
	failed := 0
	for _, r := range played {
		sum = sum.Plus(r.Sum())
		if r.Status == domain.ReplayFailed {
			failed++
		}
	}
	if err := c.print(std.Out, played, sum); err != nil {
		return err
	}
	switch {
	case failed > 0:
		return coded{fmt.Errorf("%s could not be replayed to the end", count(failed, "thread")), replayError}
	case sum.Regressions > 0:
		return coded{fmt.Errorf("%s not as good as before", isAre(sum.Regressions, "answer")), replayWorse}
	}
	return nil
}
