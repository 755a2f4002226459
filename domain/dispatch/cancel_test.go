package dispatch_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// Cancelling ends the turn itself, at once and on whichever node it runs: the lease here would tell only after minutes.
func TestCancelStopsTheTurnOnAnotherNode(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, here := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, l)
	begun, ended := make(chan struct{}, 1), make(chan error, 1)
	start(t, l, func(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (agent.Result, error) {
		if r.Pending[0] > 1 {
			return answer("the next one")
		}
		begun <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return agent.Result{Reply: &agent.Reply{Content: "too late"}}, nil
	}, dispatch.Options{Lease: 10 * time.Minute})
	relayed(t, here)
	say(t, l, f, "1")
	<-begun
	do(t, here, f, ledger.CancelTurn{Seq: 1})
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the turn goes on")
	}
	eventually(t, l, f, "the suppressed reply", has(domain.ReplySuppressed))
	say(t, l, f, "2")
	eventually(t, l, f, "an answer to the next line", agentSaid(1))
	kinds, ms := look(t, l, f)
	if got := fromAgent(ms); got[0] != "the next one" || count(kinds, domain.RetryScheduled) > 0 {
		t.Errorf("said %v, timeline %v", got, kinds)
	}
	a, err := l.AnswerTo(t.Context(), f.Org, f.Thread, 1)
	if err != nil || a.Open || a.Status != domain.DispatchSkipped || a.Skip != domain.SkipCancelled || len(a.Messages) > 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

// A turn that honours its context ends without a word.
func TestCancelledTurnIsNoFailureToTryAgain(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	begun := make(chan struct{}, 9)
	start(t, l, func(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (agent.Result, error) {
		if r.Pending[0] > 1 {
			return answer("the next one")
		}
		begun <- struct{}{}
		<-ctx.Done()
		return agent.Result{}, ctx.Err()
	}, dispatch.Options{Lease: 10 * time.Minute})
	say(t, l, f, "1")
	<-begun
	do(t, l, f, ledger.CancelTurn{})
	say(t, l, f, "2")
	eventually(t, l, f, "an answer to the next line", agentSaid(1))
	kinds, _ := look(t, l, f)
	if count(kinds, domain.RetryScheduled) > 0 || count(kinds, domain.TurnStarted) != 2 || count(kinds, domain.DispatchDied) > 0 {
		t.Errorf("timeline %v", kinds)
	}
}

func TestAnswerTo(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	goOn := make(chan struct{})
	start(t, l, func(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (agent.Result, error) {
		switch r.Pending[0] {
		case 1:
			if err := sink.Reply(ctx, agent.Reply{Content: "one"}); err != nil {
				return agent.Result{}, err
			}
			<-goOn
			return agent.Result{Reply: &agent.Reply{Content: "two"}, Usage: agent.Usage{PromptTokens: 7}}, nil
		case 4:
			return agent.Result{}, &agent.Failure{Reason: "it is broken", Permanent: true, Fault: domain.FaultAccess}
		}
		return answer("what?")
	}, dispatch.Options{})
	look := func(seq int64) ledger.AnswerState {
		a, err := l.AnswerTo(t.Context(), f.Org, f.Thread, seq)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	say(t, l, f, "1")
	eventually(t, l, f, "the first reply", agentSaid(1))
	if a := look(1); !a.Open || len(a.Messages) != 1 {
		t.Errorf("half way: %+v", a)
	}
	if seq, err := l.OpenTurn(t.Context(), f.Org, f.Thread); err != nil || seq != 1 {
		t.Errorf("open turn %d, %v", seq, err)
	}
	close(goOn)
	eventually(t, l, f, "the second reply", agentSaid(2))
	if a := look(1); a.Open || a.Status != domain.DispatchDone || len(a.Messages) != 2 || a.Messages[1].Content != "two" || string(a.Usage) == "{}" || a.Handoff != "" {
		t.Errorf("done: %+v", a)
	}
	say(t, l, f, "2") // seq 4
	eventually(t, l, f, "a dead letter", has(domain.DispatchDied))
	if a := look(4); a.Status != domain.DispatchDead || a.Handling != domain.HandlingWaiting || len(a.Messages) != 1 || a.Messages[0].Author.Kind != domain.AuthorSystem || a.Fault != domain.FaultAccess {
		t.Errorf("dead: %+v", a)
	}
	say(t, l, f, "3")
	if a := look(6); a.Status != "" || a.Open || a.Handling != domain.HandlingWaiting {
		t.Errorf("nobody was asked: %+v", a)
	}
	if _, err := l.AnswerTo(t.Context(), ledger.NewID[domain.OrgID](), f.Thread, 1); domain.KindOf(err) != domain.NotFound {
		t.Errorf("another organisation: %v", err)
	}
}

// relayed lets a node's changes be heard elsewhere.
func relayed(t *testing.T, l *ledger.Ledger) {
	r := relay.New(l, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = r.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}
