package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// crowd is many customers who write at the same time, or one after another, and how long it took to take what they wrote.
type crowd struct {
	t    *testing.T
	f    *fakeChatwoot
	hook string
	ids  atomic.Int64
	mu   sync.Mutex
	took []time.Duration
}

func (c *crowd) writes(conversation int) {
	report := c.f.incoming(int(c.ids.Add(1)), conversation, "Hello?")
	began := time.Now()
	r := c.f.report(context.Background(), c.hook+"?wait=0", report)
	d := time.Since(began)
	if r.code != http.StatusOK || r.Status != "accepted" {
		c.t.Errorf("%+v", r)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, d)
}

// told logs how long it took since it was last called, and returns the 99th percentile.
func (c *crowd) told(what string) time.Duration {
	slices.Sort(c.took)
	p := func(q float64) time.Duration {
		return c.took[int(q*float64(len(c.took)-1))].Round(100 * time.Microsecond)
	}
	c.t.Logf("%s: %d reports; p50 %v, p95 %v, p99 %v, max %v", what, len(c.took), p(0.5), p(0.95), p(0.99), p(1))
	late := p(0.99)
	c.took = nil
	return late
}

const customers = 100

// burst lets all write once, at the same moment.
func (c *crowd) burst(conversation func(w int) int) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for w := range customers {
		all.Go(func() { <-start; c.writes(conversation(w)) })
	}
	close(start)
	all.Wait()
}

// loop lets each write so many lines, one after the other.
func (c *crowd) loop(each int, pause time.Duration, conversation func(w, i int) int) {
	var all sync.WaitGroup
	for w := range customers {
		all.Go(func() {
			for i := range each {
				time.Sleep(rand.N(pause + 1))
				c.writes(conversation(w, i))
			}
		})
	}
	all.Wait()
}

// over waits until all that was written is answered.
func (c *crowd) over(lines int) {
	eventually(c.t, "answer to every line", func() bool { return c.f.answers() >= lines })
}

// A report that nobody waits on is answered quickly, also where a hundred come at a time. The bound is generous, because the machine
// may be busy; the numbers are logged. Chatwoot opens a connection for each report, a load generator keeps a hundred.
func TestChatwootAcknowledgesQuickly(t *testing.T) {
	f := newFakeChatwoot(t)
	f.secret = "whisper"
	s := serve(t, bridged(t, f, mockService1(t, "echo"), nil))
	c := &crowd{t: t, f: f, hook: s.url + "/webhook/chatwoot"}
	c.ids.Store(rand.Int64N(1 << 40))
	known := func(w int) int { return 1000 + w }
	fresh, lines := 10_000, customers
	c.burst(known)
	c.over(lines)
	c.told("the first hundred of all")
	for _, ways := range []struct {
		name   string
		client *http.Client
	}{
		{"kept connections", &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: customers}}},
		{"a connection each", &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}},
	} {
		f.client = ways.client
		quick := func(what string) {
			if p99 := c.told(ways.name + ", " + what); p99 > 2*time.Second {
				t.Errorf("%s: p99 is %v", what, p99)
			}
		}
		bursts := func(what string, conversation func(w int) int) {
			for range 5 {
				fresh += customers
				lines += customers
				c.burst(conversation)
				c.over(lines)
			}
			quick("five times a hundred " + what + " conversations at once")
		}
		bursts("new", func(w int) int { return fresh + w })
		bursts("known", known)
	}
	quick := func(what string) {
		if p99 := c.told(what); p99 > 2*time.Second {
			t.Errorf("%s: p99 is %v", what, p99)
		}
	}
	c.loop(3, 4*time.Second, func(w, _ int) int { return known(w) })
	quick("a hundred customers who write every other second or so")
	f.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: customers}}
	c.loop(20, 0, func(w, i int) int { return 100_000 + w*20 + i })
	quick("a hundred clients without a pause, new conversations")
	c.loop(20, 0, func(w, _ int) int { return known(w) })
	quick("a hundred clients without a pause, known conversations")
}

// What comes at once is written together: a crowd of new customers costs far fewer transactions than there are customers. Alone that
// keeps a hundred of them quick on any machine.
func TestChatwootCrowdSharesTransactions(t *testing.T) {
	f := newFakeChatwoot(t)
	e := bridged(t, f, mockService1(t, "echo"), nil)
	s := serve(t, e)
	conn, err := pgx.Connect(t.Context(), e["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "UPDATE agents SET enabled = false"); err != nil { // its turns are transactions, too
		t.Fatal(err)
	}
	next := func() (xid int64) {
		if err := conn.QueryRow(t.Context(), "SELECT pg_current_xact_id()::text::bigint").Scan(&xid); err != nil {
			t.Fatal(err)
		}
		return xid
	}
	c := &crowd{t: t, f: f, hook: s.url + "/webhook/chatwoot"}
	lines := 0
	recorded := func() (n int) {
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM messages").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for what, conversation := range map[string]func(w int) int{"new": func(w int) int { return 1000 + w }, "one and the same": func(int) int { return 41 }} {
		began := next()
		c.burst(conversation)
		lines += customers
		eventually(t, "line of every customer", func() bool { return recorded() == lines })
		cost := next() - began
		c.told(what)
		t.Logf("%s: %d transactions", what, cost)
		if cost > customers*4/5 {
			t.Errorf("%s: %d customers at once cost %d transactions", what, customers, cost)
		}
	}
}
