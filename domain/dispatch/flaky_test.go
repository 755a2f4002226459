package dispatch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// crowd makes many visitors of one widget, each with a thread, in a few statements.
func crowd(t testing.TB, l *ledger.Ledger, f ledgertest.Fixture, n int) []ledgertest.Fixture {
	t.Helper()
	for _, sql := range []string{
		`INSERT INTO contacts (id, org_id, stub) SELECT gen_random_uuid(), ?0, true FROM generate_series(1, ?3)`,
		`INSERT INTO sessions (id, org_id, widget_id, contact_id, token_hash, expires_at)
SELECT gen_random_uuid(), ?0, ?1, id, id::text::bytea, now() + interval '1 day' FROM contacts WHERE org_id = ?0 AND id <> ?2`,
		`INSERT INTO threads (id, org_id, contact_id, widget_id, channel, correlation_key, handling)
SELECT gen_random_uuid(), ?0, id, ?1, 'webchat', 'contact:' || id || ':webchat', 'agent' FROM contacts WHERE org_id = ?0 AND id <> ?2`,
	} {
		if _, err := l.NewRaw(sql, f.Org, f.Widget, f.Contact, n).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var rows []struct {
		Thread  domain.ThreadID
		Session domain.SessionID
	}
	if err := l.NewRaw(`SELECT t.id AS thread, s.id AS session FROM threads t JOIN sessions s ON s.contact_id = t.contact_id WHERE t.org_id = ? AND t.id <> ?`,
		f.Org, f.Thread).Scan(t.Context(), &rows); err != nil || len(rows) != n {
		t.Fatal(len(rows), err)
	}
	fs := make([]ledgertest.Fixture, n)
	for i, r := range rows {
		fs[i] = f
		fs[i].Thread, fs[i].Session.ID = r.Thread, r.Session
	}
	return fs
}

// record is what the agent did, as it knows it: who was busy, and how often each line was answered.
type record struct {
	mu       sync.Mutex
	busy     map[domain.ThreadID]bool
	answered map[string]int
}

func (r *record) begin(t testing.TB, thread domain.ThreadID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[thread] {
		t.Error("two turns of one thread at once")
	}
	r.busy[thread] = true
}

func (r *record) end(thread domain.ThreadID, answered []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy[thread] = false
	for _, seq := range answered {
		r.answered[fmt.Sprint(thread, seq)]++
	}
}

// outcomes are the lines whose outcome is a skip or a dead letter, each as often as it has one.
const outcomes = `
SELECT m.thread_id, m.seq,
       (SELECT count(*) FROM events e WHERE e.message_id = m.id AND e.kind = 'message_received' AND e.detail->>'routing' = 'dispatch_skipped')
     + (SELECT count(*) FROM dispatches d WHERE d.thread_id = m.thread_id AND d.status = 'dead' AND m.seq BETWEEN d.from_seq AND d.to_seq) AS other
FROM messages m WHERE m.org_id = ? AND m.direction = 'inbound'`

// TestFlakyAgentOverTwoNodes lets a thousand visitors write three bursts each to an agent that fails every fifth time.
func TestFlakyAgentOverTwoNodes(t *testing.T) {
	t.Parallel()
	const threads, bursts, lines = 1000, 3, 2
	dsn := ledgertest.DSN(t)
	nodes := []*ledger.Ledger{ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)}
	f := ledgertest.Seed(t, nodes[0])
	ledgertest.Set(t, nodes[0], "agents", f.Agent, "max_concurrent", 64)
	fs := crowd(t, nodes[0], f, threads)
	did := &record{busy: map[domain.ThreadID]bool{}, answered: map[string]int{}}
	v := func(_ context.Context, r agent.TurnRequest, _ agent.Sink) (agent.Result, error) {
		did.begin(t, r.ThreadID)
		if rand.N(5) == 0 {
			did.end(r.ThreadID, nil)
			return agent.Result{}, &agent.Failure{Reason: "answered with status 500"}
		}
		did.end(r.ThreadID, r.Pending)
		return answer("ok")
	}
	for _, l := range nodes {
		start(t, l, v, dispatch.Options{})
	}
	var wg sync.WaitGroup
	const writers = 64
	for w := range writers {
		wg.Go(func() {
			for burst := range bursts {
				for i := w; i < threads; i += writers {
					for line := range lines {
						say(t, nodes[(i+line)%2], fs[i], fmt.Sprint(burst, "-", line))
					}
				}
			}
		})
	}
	wg.Wait()
	deadline := time.Now().Add(time.Minute)
	for {
		var open int
		if err := nodes[0].NewRaw(`SELECT count(*) FROM dispatches WHERE status IN ('queued', 'running')`).Scan(t.Context(), &open); err != nil {
			t.Fatal(err)
		}
		if open == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d dispatches are still open", open)
		}
		time.Sleep(20 * time.Millisecond)
	}
	var rows []struct {
		ThreadID domain.ThreadID
		Seq      int64
		Other    int
	}
	if err := nodes[0].NewRaw(outcomes, f.Org).Scan(t.Context(), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != threads*bursts*lines {
		t.Fatalf("%d lines are there, want %d", len(rows), threads*bursts*lines)
	}
	for _, r := range rows {
		if n := did.answered[fmt.Sprint(r.ThreadID, r.Seq)] + r.Other; n != 1 {
			t.Fatalf("line %d of %s has %d outcomes", r.Seq, r.ThreadID, n)
		}
	}
}

// TestTakingOverAtAnyMoment takes threads over at random moments of a thousand turns: while a person has one, no agent's line comes.
func TestTakingOverAtAnyMoment(t *testing.T) {
	t.Parallel()
	const threads, rounds = 50, 20
	dsn := ledgertest.DSN(t)
	nodes := []*ledger.Ledger{ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)}
	f := ledgertest.Seed(t, nodes[0])
	ledgertest.Set(t, nodes[0], "agents", f.Agent, "max_concurrent", 64)
	for _, l := range nodes {
		start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
			time.Sleep(rand.N(3 * time.Millisecond)) // so that a person may come at any moment of it
			return answer("ok")
		}, dispatch.Options{})
	}
	fs := crowd(t, nodes[0], f, threads)
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() {
			move := func(l *ledger.Ledger, c ledger.Change) ledger.Outcome {
				out, err := l.Append(context.Background(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: c})
				if err != nil {
					t.Error(err)
				}
				return out
			}
			for n := range rounds {
				a, b := nodes[(i+n)%2], nodes[(i+n+1)%2]
				say(t, a, f, fmt.Sprint(n))
				time.Sleep(rand.N(8 * time.Millisecond))
				taken := move(b, ledger.TakeOver{User: f.User})
				time.Sleep(rand.N(4 * time.Millisecond))
				back := move(a, ledger.HandBack{User: f.User})
				if back.Before != taken.Thread.LastSeq {
					t.Errorf("the agent spoke while a person had the thread: %d lines became %d", taken.Thread.LastSeq, back.Before)
				}
				if back.Thread.Epoch != taken.Thread.Epoch+1 {
					t.Errorf("epoch %d after %d", back.Thread.Epoch, taken.Thread.Epoch)
				}
			}
		})
	}
	wg.Wait()
	for _, f := range fs {
		until(t, "every line answered in the end", func() bool {
			th, err := nodes[0].Thread(context.Background(), f.Org, f.Thread)
			return err == nil && th.Answered == th.LastInbound
		})
	}
}
