package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

func TestMain(m *testing.M) { ledgertest.Main(m) }

// voice is a runtime made of a function.
type voice func(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (agent.Result, error)

func (v voice) Turn(ctx context.Context, r agent.TurnRequest, sink agent.Sink) (agent.Result, error) {
	return v(ctx, r, sink)
}

func answer(text string) (agent.Result, error) {
	return agent.Result{Reply: &agent.Reply{Content: text}}, nil
}

// node is a dispatcher with its relay on a ledger. stop ends it as a shutdown would and waits.
type node struct {
	*ledger.Ledger
	relay *relay.Relay
	stop  func()
}

func start(t *testing.T, l *ledger.Ledger, v voice, o dispatch.Options) node {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	r := relay.New(l, o.Log)
	d := dispatch.New(l, r, func(domain.Agent) (agent.Runtime, error) { return v, nil }, o)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.Run(ctx) })
	wg.Go(func() { _ = d.Run(ctx) })
	stop := sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return node{l, r, stop}
}

func say(t testing.TB, l *ledger.Ledger, f ledgertest.Fixture, clientID string) {
	t.Helper()
	if _, err := l.Append(t.Context(), lineOf(f, clientID)); err != nil {
		t.Fatal(err)
	}
}

func lineOf(f ledgertest.Fixture, clientID string) ledger.Append {
	return ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.Line{SessionID: f.Session.ID, ClientID: clientID, Content: "line " + clientID}}
}

func do(t testing.TB, l *ledger.Ledger, f ledgertest.Fixture, c ledger.Change) {
	t.Helper()
	if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: c}); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until the thread's flight recorder and messages satisfy ok.
func eventually(t testing.TB, l *ledger.Ledger, f ledgertest.Fixture, what string, ok func(kinds []domain.TimelineKind, ms []domain.Message) bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		kinds, ms := look(t, l, f)
		if ok(kinds, ms) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("never saw %s; messages %v, timeline %v", what, contents(ms), kinds)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func look(t testing.TB, l *ledger.Ledger, f ledgertest.Fixture) ([]domain.TimelineKind, []domain.Message) {
	t.Helper()
	items, err := l.Timeline(context.Background(), f.Org, f.Thread)
	ms, err2 := l.MessagesAfter(context.Background(), f.Org, f.Thread, 0, 1000)
	if err := errors.Join(err, err2); domain.KindOf(err) == domain.Unavailable { // a test broke the connections
		return nil, nil
	} else if err != nil {
		t.Fatal(err)
	}
	var kinds []domain.TimelineKind
	for _, i := range items {
		kinds = append(kinds, i.Kind)
	}
	return kinds, ms
}

func contents(ms []domain.Message) (out []string) {
	for _, m := range ms {
		out = append(out, string(m.Author.Kind)+": "+m.Content)
	}
	return out
}

func agentSaid(n int) func([]domain.TimelineKind, []domain.Message) bool {
	return func(_ []domain.TimelineKind, ms []domain.Message) bool { return len(fromAgent(ms)) == n }
}

func fromAgent(ms []domain.Message) (out []string) {
	for _, m := range ms {
		if m.Author.Kind == domain.AuthorAgent {
			out = append(out, m.Content)
		}
	}
	return out
}

func has(kind domain.TimelineKind) func([]domain.TimelineKind, []domain.Message) bool {
	return func(kinds []domain.TimelineKind, _ []domain.Message) bool { return slices.Contains(kinds, kind) }
}

func count(kinds []domain.TimelineKind, kind domain.TimelineKind) (n int) {
	for _, k := range kinds {
		if k == kind {
			n++
		}
	}
	return n
}

func TestBurstGetsOneAnswerThatHasReadAll(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	ledgertest.Set(t, l, "agents", f.Agent, "settle_ms", 2000) // a busy machine takes its time between two lines
	n := start(t, l, func(_ context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		return answer(fmt.Sprintln(r.Pending, len(r.Messages), r.IsOwner, r.Classification))
	}, dispatch.Options{})
	for i := range 5 {
		say(t, n.Ledger, f, fmt.Sprint(i))
	}
	eventually(t, l, f, "an answer", agentSaid(1))
	_, ms := look(t, l, f)
	if got, want := fromAgent(ms)[0], "[1 2 3 4 5] 5 false PUBLIC\n"; got != want {
		t.Fatalf("answered %q, want %q", got, want)
	}
}

func TestLineDuringATurnGetsItsOwn(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	begun, goOn := make(chan struct{}, 2), make(chan struct{})
	start(t, l, func(ctx context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		begun <- struct{}{}
		<-goOn
		return answer(fmt.Sprint(r.Pending))
	}, dispatch.Options{})
	say(t, l, f, "1")
	<-begun
	say(t, l, f, "2")
	say(t, l, f, "3")
	close(goOn)
	eventually(t, l, f, "two answers", agentSaid(2))
	_, ms := look(t, l, f)
	if got := fmt.Sprint(fromAgent(ms)); got != "[[1] [2 3]]" {
		t.Fatalf("answered %s", got)
	}
}

func TestFailedTurnIsTriedAgain(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	var attempts atomic.Int32
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		if attempts.Add(1) < 3 {
			return agent.Result{}, &agent.Failure{Reason: "said nothing for 30 s", Err: errors.New("secret cause")}
		}
		return answer("at last")
	}, dispatch.Options{})
	say(t, l, f, "1")
	eventually(t, l, f, "an answer", agentSaid(1))
	kinds, _ := look(t, l, f)
	if count(kinds, domain.TurnStarted) != 3 || count(kinds, domain.TurnFailure) != 2 || count(kinds, domain.RetryScheduled) != 2 {
		t.Fatalf("timeline %v", kinds)
	}
	items, _ := l.Timeline(t.Context(), f.Org, f.Thread)
	for _, i := range items {
		if i.Kind == domain.TurnFailure && string(i.Detail) != `{"error": "said nothing for 30 s"}` {
			t.Fatalf("detail %s", i.Detail)
		}
	}
}

func TestDeadDispatchIsSeenAndCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	var mended atomic.Bool
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		if mended.Load() {
			return answer("now")
		}
		return agent.Result{}, &agent.Failure{Reason: "answered with status 401", Permanent: true}
	}, dispatch.Options{})
	say(t, l, f, "1")
	eventually(t, l, f, "a dead letter", has(domain.DispatchDied))
	th, err := l.Thread(t.Context(), f.Org, f.Thread)
	if err != nil || th.Handling != domain.HandlingWaiting {
		t.Fatal(th.Handling, err)
	}
	if _, ms := look(t, l, f); contents(ms)[1] != "system: A person will take a look." {
		t.Fatal(contents(ms))
	}
	mended.Store(true)
	do(t, l, f, ledger.HandBack{User: f.User})
	eventually(t, l, f, "an answer", agentSaid(1))
}

func TestNobodyIsTalkedOver(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	begun, goOn := make(chan struct{}), make(chan struct{})
	start(t, l, func(ctx context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		close(begun)
		<-goOn
		return answer("too late")
	}, dispatch.Options{})
	say(t, l, f, "1")
	<-begun
	do(t, l, f, ledger.TakeOver{User: f.User})
	close(goOn)
	eventually(t, l, f, "the suppressed reply on the record", has(domain.ReplySuppressed))
	if _, ms := look(t, l, f); len(fromAgent(ms)) != 0 {
		t.Fatalf("the visitor was shown %v", contents(ms))
	}
}

func TestTurnIsStoppedWhenItsResultCanNoLongerCount(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	begun, ended := make(chan struct{}), make(chan error, 1)
	start(t, l, func(ctx context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return agent.Result{}, ctx.Err()
	}, dispatch.Options{Lease: 300 * time.Millisecond})
	say(t, l, f, "1")
	<-begun
	do(t, l, f, ledger.TakeOver{User: f.User})
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the agent went on working for nobody")
	}
}

func TestDeadWorkersTurnIsTakenOver(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	say(t, l, f, "1")
	dead, err := l.Claim(t.Context(), 1, 200*time.Millisecond, ledger.Pauses{}) // a worker that claims and is never heard of again
	if err != nil || len(dead) != 1 {
		t.Fatal(dead, err)
	}
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) { return answer("hi") }, dispatch.Options{})
	eventually(t, l, f, "an answer", agentSaid(1))
	out, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread, // … or is, too late
		Change: ledger.TurnEnd{TurnRef: dead[0].TurnRef, Said: &ledger.Said{N: 1, Content: "me too"}}})
	if err != nil || !out.Suppressed {
		t.Fatal(out, err)
	}
	kinds, ms := look(t, l, f)
	if len(fromAgent(ms)) != 1 || count(kinds, domain.TurnStarted) != 2 || count(kinds, domain.TurnFailure) != 1 {
		t.Fatal(kinds, contents(ms))
	}
}

func TestReplyOfAWorkerThatDiedAfterStoringItIsNotSaidAgain(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	say(t, l, f, "1")
	dead, err := l.Claim(t.Context(), 1, 200*time.Millisecond, ledger.Pauses{})
	if err != nil || len(dead) != 1 {
		t.Fatal(dead, err)
	}
	do(t, l, f, ledger.TurnReply{TurnRef: dead[0].TurnRef, Said: ledger.Said{N: 1, Content: "half an answer"}})
	start(t, l, func(_ context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		return answer(fmt.Sprint(r.Pending))
	}, dispatch.Options{})
	say(t, l, f, "2") // extends the dispatch; once the first part has ended it gets a turn of its own
	eventually(t, l, f, "the second answer", agentSaid(2))
	if _, ms := look(t, l, f); fmt.Sprint(fromAgent(ms)) != "[half an answer [3]]" {
		t.Fatal(contents(ms))
	}
}

func TestShutdownHandsTurnsBack(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	begun := make(chan struct{})
	n := start(t, l, func(ctx context.Context, _ agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		close(begun)
		<-ctx.Done()
		return agent.Result{}, ctx.Err()
	}, dispatch.Options{Grace: time.Millisecond})
	say(t, l, f, "1")
	<-begun
	n.stop()
	var claims []ledger.Claim
	until(t, "the turn back, long before its lease is over", func() (ok bool) { // a claim that was cut off may hold its locks for a moment yet
		var err error
		if claims, err = l.Claim(t.Context(), 1, time.Minute, ledger.Pauses{}); err != nil {
			t.Fatal(err)
		}
		return len(claims) == 1
	})
	if claims[0].Attempt != 1 {
		t.Fatalf("claims %+v; want the attempt unburned", claims)
	}
}

func TestGuardsAreAskedAgain(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	say(t, l, f, "1")
	ledgertest.Set(t, l, "widgets", f.Widget, "webchat_enabled", false)
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) { return answer("hi") }, dispatch.Options{})
	eventually(t, l, f, "a skip", has(domain.DispatchSkip))
	if _, ms := look(t, l, f); len(fromAgent(ms)) != 0 {
		t.Fatal(contents(ms))
	}
}

func TestEveryLineHasOneOutcomeOverTwoNodes(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	a, b := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	var mu sync.Mutex
	busy, answered := map[domain.ThreadID]bool{}, map[domain.ThreadID]int{}
	v := func(ctx context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		mu.Lock()
		if busy[r.ThreadID] {
			t.Error("two turns of one thread at once")
		}
		busy[r.ThreadID] = true
		answered[r.ThreadID] += len(r.Pending)
		mu.Unlock()
		time.Sleep(time.Millisecond) // so that an overlap has time to show
		mu.Lock()
		busy[r.ThreadID] = false
		mu.Unlock()
		return answer("ok")
	}
	const threads, lines = 30, 6
	var fs []ledgertest.Fixture
	for range threads {
		fs = append(fs, ledgertest.Seed(t, a))
	}
	start(t, a, v, dispatch.Options{})
	start(t, b, v, dispatch.Options{})
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() {
			for n := range lines {
				say(t, []*ledger.Ledger{a, b}[(i+n)%2], f, fmt.Sprint(n))
			}
		})
	}
	wg.Wait()
	for _, f := range fs {
		eventually(t, a, f, "a turn for every line", func(kinds []domain.TimelineKind, ms []domain.Message) bool {
			mu.Lock()
			defer mu.Unlock()
			if answered[f.Thread] > lines {
				t.Fatalf("%d lines were pending in some turn, want %d", answered[f.Thread], lines)
			}
			return answered[f.Thread] == lines && len(fromAgent(ms)) == count(kinds, domain.TurnStarted)
		})
	}
}

func TestDatabaseThatBreaksDuringATurn(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	start(t, l, func(ctx context.Context, _ agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		_, err := l.NewRaw(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Exec(ctx)
		if err != nil {
			t.Error(err)
		}
		return answer("hi")
	}, dispatch.Options{})
	say(t, l, f, "1")
	eventually(t, l, f, "an answer", agentSaid(1))
	if kinds, ms := look(t, l, f); len(fromAgent(ms)) != 1 || count(kinds, domain.ReplySuppressed) != 0 {
		t.Fatal(kinds, contents(ms))
	}
}

func TestLongBurstIsReadWhole(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	const lines = 90 // more than an agent sees of a thread's history
	for i := range lines {
		say(t, l, f, fmt.Sprint(i))
	}
	start(t, l, func(_ context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		return answer(fmt.Sprintln(len(r.Pending), r.Pending[0], len(r.Messages)))
	}, dispatch.Options{})
	eventually(t, l, f, "an answer", agentSaid(1))
	if _, ms := look(t, l, f); fromAgent(ms)[0] != "90 1 90\n" {
		t.Fatalf("the agent was shown %q", fromAgent(ms)[0])
	}
}

func TestPanicIsAFailedTurn(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	var attempts atomic.Int32
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		if attempts.Add(1) == 1 {
			panic("no agent may end the process")
		}
		return answer("at last")
	}, dispatch.Options{})
	say(t, l, f, "1")
	eventually(t, l, f, "an answer", agentSaid(1))
	if kinds, _ := look(t, l, f); count(kinds, domain.TurnFailure) != 1 || count(kinds, domain.RetryScheduled) != 1 {
		t.Fatalf("timeline %v", kinds)
	}
}
