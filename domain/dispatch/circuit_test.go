package dispatch_test

import (
	"context"
	"fmt"
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

// until waits for anything but a thread's record.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never saw %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// another is a second visitor of the same widget, with a thread of their own.
func another(t testing.TB, l *ledger.Ledger, f ledgertest.Fixture) ledgertest.Fixture {
	t.Helper()
	f.Contact = ledger.NewID[domain.ContactID]()
	f.Session.ID, f.Session.ContactID = ledger.NewID[domain.SessionID](), f.Contact
	if err := l.CreateSession(t.Context(), f.Session, []byte(f.Session.ID), domain.Contact{ID: f.Contact, OrgID: f.Org, Stub: true}); err != nil {
		t.Fatal(err)
	}
	thread, err := l.EnsureThread(t.Context(), f.Session)
	if err != nil {
		t.Fatal(err)
	}
	f.Thread = thread.ID
	return f
}

func health(t testing.TB, l *ledger.Ledger, f ledgertest.Fixture) domain.AgentHealth {
	t.Helper()
	all, err := l.AgentHealths(context.Background(), f.Org)
	if err != nil {
		t.Fatal(err)
	}
	return all[f.Agent]
}

func probeNow(t testing.TB, n node) {
	t.Helper()
	if _, err := n.NewRaw(`UPDATE agent_health SET probe_at = now() - interval '1 second' WHERE opened_at IS NOT NULL`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.relay.Work(time.Time{})
}

func TestCircuit(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	bad, good := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	var mended atomic.Bool
	var asked atomic.Int32
	n := start(t, l, func(_ context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		if r.OrgID == bad.Org {
			asked.Add(1)
			if !mended.Load() {
				return agent.Result{}, &agent.Failure{Reason: "could not connect"}
			}
		}
		return answer(fmt.Sprint(r.Pending))
	}, dispatch.Options{})
	threads := []ledgertest.Fixture{bad}
	for range 5 {
		threads = append(threads, another(t, l, bad))
	}
	for _, f := range threads {
		say(t, l, f, "1")
	}
	until(t, "an open circuit", func() bool { return health(t, l, bad).Circuit == domain.CircuitOpen })
	before, open := asked.Load(), time.Now()
	due := func() int32 { return int32(time.Since(open)/domain.ProbeEvery) + 1 } // probes whose time may have come by itself, on a busy machine
	for _, f := range threads {
		say(t, l, f, "2") // nobody is asked about these now
	}
	say(t, l, good, "1")
	eventually(t, l, good, "another agent's answer meanwhile", agentSaid(1))
	if got := asked.Load() - before; got > due()-1 {
		t.Errorf("the agent was asked %d times while its circuit was open", got)
	}
	if h := health(t, l, bad); h.Failures < domain.CircuitThreshold || h.LastError != "could not connect" || h.OpenedAt.IsZero() {
		t.Errorf("health %+v", h)
	}

	was := asked.Load()
	probeNow(t, n)
	until(t, "one turn let through", func() bool { return asked.Load() > was })
	until(t, "the circuit open again", func() bool { return health(t, l, bad).ProbeAt.After(time.Now()) })
	if got := asked.Load() - was; got > due() {
		t.Errorf("%d turns were let through by one probe", got)
	}

	mended.Store(true)
	probeNow(t, n)
	for _, f := range threads {
		eventually(t, l, f, "the answer that waited", agentSaid(1))
		kinds, ms := look(t, l, f)
		if count(kinds, domain.DispatchDied) != 0 || fromAgent(ms)[0] != "[1 2]" {
			t.Errorf("%v %v", kinds, contents(ms))
		}
	}
	if h := health(t, l, bad); h.Circuit != domain.CircuitClosed || h.Failures != 0 {
		t.Errorf("health %+v after it came back", h)
	}
	events, err := l.AgentEvents(t.Context(), bad.Org, bad.Agent, 10)
	if err != nil || len(events) != 2 || events[0].Kind != domain.CircuitClosedAt || events[1].Kind != domain.CircuitOpened {
		t.Errorf("events %+v, %v", events, err)
	}
	if events, _ := l.AgentEvents(t.Context(), good.Org, bad.Agent, 10); len(events) != 0 {
		t.Error("another organisation reads them")
	}
}

// What changed hands or cannot be mended says nothing of the agent.
func TestFailuresThatDoNotCount(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		return agent.Result{}, &agent.Failure{Reason: "refused the request", Permanent: true}
	}, dispatch.Options{})
	for range 7 {
		f := another(t, l, f)
		say(t, l, f, "1")
		eventually(t, l, f, "a dead letter", has(domain.DispatchDied))
	}
	if h := health(t, l, f); h.Failures != 0 || !h.OpenedAt.IsZero() {
		t.Errorf("health %+v", h)
	}
}

func TestAgentIsAskedNoMoreThanItWants(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	a, b := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, a)
	ledgertest.Set(t, a, "agents", f.Agent, "max_concurrent", 2)
	var mu sync.Mutex
	var now, most int
	v := func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		time.Sleep(2 * time.Millisecond) // so that an overlap has time to show
		mu.Lock()
		now--
		mu.Unlock()
		return answer("ok")
	}
	var fs []ledgertest.Fixture
	for range 40 {
		fs = append(fs, another(t, a, f))
	}
	start(t, a, v, dispatch.Options{})
	start(t, b, v, dispatch.Options{})
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() { say(t, []*ledger.Ledger{a, b}[i%2], f, "1") })
	}
	wg.Wait()
	for _, f := range fs {
		eventually(t, a, f, "an answer", agentSaid(1))
	}
	if most > 2 {
		t.Fatalf("%d turns at once, want 2 at most", most)
	}
}

// writes has somebody write in a thread until rests is called, as clients tell of it: every second anew.
func writes(n node, thread domain.ThreadID, who domain.AuthorKind) (rests func()) {
	h := relay.Hint{Thread: thread, Kind: relay.Typing, On: true, Author: domain.Author{Kind: who}}
	n.relay.Hint(h)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-time.After(time.Second):
				n.relay.Hint(h)
			case <-over:
				h.On = false
				n.relay.Hint(h)
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(over); <-done })
}

func TestTurnWaitsForWhoeverWrites(t *testing.T) {
	t.Parallel()
	for _, who := range []domain.AuthorKind{domain.AuthorVisitor, domain.AuthorHuman} {
		t.Run(string(who), func(t *testing.T) {
			t.Parallel()
			dsn := ledgertest.DSN(t)
			l, far := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
			f, other := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
			n := start(t, l, func(_ context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
				return answer(fmt.Sprint(r.Pending))
			}, dispatch.Options{})
			rests := writes(n, f.Thread, who)
			defer rests()
			say(t, far, other, "1") // far has no dispatcher; a claim that began before somebody wrote does not know of it, the next one does
			n.relay.Work(time.Time{})
			eventually(t, l, other, "an answer where nobody writes", agentSaid(1))
			say(t, far, f, "1")
			say(t, far, other, "2")
			n.relay.Work(time.Time{})
			eventually(t, l, other, "another answer there", agentSaid(2))
			say(t, l, f, "2")
			if kinds, _ := look(t, l, f); count(kinds, domain.TurnStarted) != 0 {
				t.Fatalf("the agent did not wait: %v", kinds)
			}
			rests()
			eventually(t, l, f, "an answer", agentSaid(1))
			if _, ms := look(t, l, f); fromAgent(ms)[0] != "[1 2]" {
				t.Fatal(contents(ms))
			}
		})
	}
}

func TestLineNobodyWasAskedToAnswer(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, skipped := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	ledgertest.Set(t, l, "widgets", skipped.Widget, "webchat_enabled", false)
	for _, f := range []ledgertest.Fixture{f, skipped} {
		say(t, l, f, "1")
		for _, sql := range []string{`DELETE FROM dispatches WHERE thread_id = ?`, `UPDATE threads SET last_message_at = now() - interval '2 minutes' WHERE id = ?`} {
			if _, err := l.NewRaw(sql, f.Thread).Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	ledgertest.Set(t, l, "widgets", skipped.Widget, "webchat_enabled", true)
	left, err := l.Left(t.Context(), 10)
	if err != nil || len(left) != 1 || left[0].ThreadID != f.Thread {
		t.Fatalf("left %+v, %v; want the line without an outcome and not the one with a skip reason", left, err)
	}
	if out, err := l.Append(t.Context(), left[0]); err != nil || out.Due.IsZero() {
		t.Fatal(out, err)
	}
	if left, err = l.Left(t.Context(), 10); err != nil || len(left) != 0 {
		t.Fatalf("left %+v, %v after the sweep", left, err)
	}
	// From now on only what was said of late is looked at, but that always.
	for thread, want := range map[domain.ThreadID]bool{forgotten(t, l, "3 hours"): false, forgotten(t, l, "2 minutes"): true} {
		left, err := l.Left(t.Context(), 10)
		found := slices.ContainsFunc(left, func(a ledger.Append) bool { return a.ThreadID == thread })
		if err != nil || found != want {
			t.Errorf("a later sweep has left %+v, %v", left, err)
		}
	}
}

// forgotten is a thread with a line said so long ago that nobody was asked to answer.
func forgotten(t *testing.T, l *ledger.Ledger, ago string) domain.ThreadID {
	t.Helper()
	f := ledgertest.Seed(t, l)
	say(t, l, f, "1")
	for _, sql := range []string{`DELETE FROM dispatches WHERE thread_id = ?`, `UPDATE threads SET last_message_at = now() - interval '` + ago + `' WHERE id = ?`} {
		if _, err := l.NewRaw(sql, f.Thread).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return f.Thread
}
