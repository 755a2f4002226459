package replay_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/replay"
)

func speaking(v voice) func(domain.Agent, agent.Deps) (agent.Runtime, error) {
	return func(domain.Agent, agent.Deps) (agent.Runtime, error) { return v, nil }
}

func says(text string) (agent.Result, error) {
	return agent.Result{Reply: &agent.Reply{Content: text}}, nil
}

// run lets a service work until the returned function is called.
func run(s *replay.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx) })
	return sync.OnceFunc(func() { cancel(); wg.Wait() })
}

func (w *world) made(id domain.ReplayID) domain.Replay {
	w.Helper()
	var r domain.Replay
	w.eventually("the end of a replay", func() bool {
		var err error
		if r, err = w.replay.Replay(context.Background(), w.Org, id); err != nil {
			w.Fatal(err)
		}
		return r.Status.Over()
	})
	return r
}

// However many nodes there are, each replay is made once.
func TestTwoNodesMakeAReplayOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	var turns atomic.Int32
	slow := speaking(func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		turns.Add(1)
		return says("Hi")
	})
	var ids []domain.ReplayID
	for range 8 {
		r, err := w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	for range 2 {
		defer run(w.service(replay.Options{Voice: slow}))()
	}
	for _, id := range ids {
		if r := w.made(id); r.Status != domain.ReplayDone || len(r.Turns) != 1 {
			t.Errorf("%+v", r)
		}
	}
	if n := turns.Load(); n != 8 {
		t.Errorf("%d turns for 8 replays", n)
	}
}

// A worker that goes silent loses its replay to another, which goes on where it was; what the first says afterwards does not count.
func TestAnotherWorkerGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	w.says("Hello again", 2)
	r, err := w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org})
	if err != nil {
		t.Fatal(err)
	}
	silent, err := w.ledger.ClaimReplay(t.Context(), r.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	first := domain.ReplayTurn{N: 0, FromSeq: 1, ToSeq: 1, Asked: "Hello", Outcome: domain.AnswerChanged, Now: domain.Answer{Replies: []string{"the first worker's"}}}
	if err := w.ledger.AddReplayTurn(t.Context(), silent, first); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.ClaimReplay(t.Context(), "", time.Hour); domain.KindOf(err) != domain.NotFound || err == nil {
		t.Fatalf("two have it: %v", err)
	}
	w.sql(`UPDATE replays SET lease_until = now() - interval '1 second'`, nil)
	defer run(w.service(replay.Options{Voice: speaking(func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		return says("the second worker's")
	})}))()
	r = w.made(r.ID)
	if len(r.Turns) != 2 || r.Turns[0].Now.Text() != "the first worker's" || r.Turns[1].Now.Text() != "the second worker's" {
		t.Fatalf("%+v", r.Turns)
	}
	if err := w.ledger.EndReplay(t.Context(), silent, domain.ReplayFailed, "late"); err == nil {
		t.Error("the first worker could still end it")
	}
}

// Stopping a server hands its replay back, whole, and burns no attempt.
func TestShutdownHandsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	begun := make(chan struct{}, 10)
	stop := run(w.service(replay.Options{Voice: speaking(func(ctx context.Context, _ agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return agent.Result{}, ctx.Err()
	})}))
	r, err := w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	stop()
	c, err := w.ledger.ClaimReplay(t.Context(), r.ID, time.Minute)
	if err != nil || c.Attempt != 1 || len(c.Turns) != 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := w.ledger.ClaimReplay(t.Context(), r.ID, time.Minute); domain.KindOf(err) != domain.NotFound || err == nil {
		t.Errorf("claimed twice: %v", err)
	}
}

// A worker that is slow keeps its replay: it says so in time, and nobody makes it a second time.
func TestSlowReplayStaysItsWorkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	var turns atomic.Int32
	slow := speaking(func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		turns.Add(1)
		time.Sleep(3 * time.Second) // three leases
		return says("Hi")
	})
	r, err := w.replay.Ask(t.Context(), w.Thread, replay.Order{OrgID: w.Org})
	if err != nil {
		t.Fatal(err)
	}
	first := run(w.service(replay.Options{Voice: slow, Lease: time.Second}))
	defer first()
	time.Sleep(2 * time.Second) // two leases
	if _, err := w.ledger.ClaimReplay(t.Context(), r.ID, time.Hour); domain.KindOf(err) != domain.NotFound {
		t.Errorf("another worker has taken it: %v", err)
	}
	if r = w.made(r.ID); r.Status != domain.ReplayDone || turns.Load() != 1 {
		t.Errorf("%d turns, %+v", turns.Load(), r)
	}
}

// Whatever tools an agent has on servers of others, a replay runs none of them, and tells the model that it would have.
func TestReplayRunsNoToolOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("Hello", 1)
	w.replay = w.service(replay.Options{Voice: func(_ domain.Agent, d agent.Deps) (agent.Runtime, error) {
		return voice(func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
			if err := d.Lend("shop__refund"); !errors.Is(err, agent.ErrNotExecuted) {
				t.Errorf("it was run: %v", err)
			}
			return says("Hi")
		}), nil
	}})
	if r := w.replayed(replay.Order{}); outcomes(r) != "changed" || r.Turns[0].Withheld != 1 {
		t.Errorf("%+v", r.Turns)
	}
}
