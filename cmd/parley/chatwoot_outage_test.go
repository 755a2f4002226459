package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// flakyAgent is a mock agent that can be away: its address refuses whoever comes.
type flakyAgent struct {
	t    testing.TB
	addr string
	srv  *http.Server
}

func newFlakyAgent(t testing.TB) *flakyAgent {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &flakyAgent{t: t, addr: l.Addr().String()}
	_ = l.Close()
	t.Cleanup(a.down)
	return a
}

func (a *flakyAgent) up() {
	l, err := net.Listen("tcp", a.addr)
	if err != nil {
		a.t.Fatal(err)
	}
	a.srv = &http.Server{Handler: newMockAgent("echo", 0), ReadHeaderTimeout: time.Minute}
	go func(s *http.Server) { _ = s.Serve(l) }(a.srv)
}

func (a *flakyAgent) down() {
	if a.srv != nil {
		_ = a.srv.Close()
		a.srv = nil
	}
}

// A hundred conversations write while the agent is away, to two nodes, with every report repeated and a Chatwoot that is slow, full and
// broken by turns. Once the agent is back each line is answered: nothing is lost, nothing doubled, all in order, and nobody seems to type.
func TestChatwootOutage(t *testing.T) {
	const conversations, lines = 100, 3
	f := newFakeChatwoot(t)
	f.secret = "whisper"
	agent := newFlakyAgent(t)
	e := bridged(t, f, "http://"+agent.addr, nil)
	nodes := []*server{serve(t, e), serve(t, e)}
	f.wrong(func(r *http.Request, n int) fakeFault {
		sign := strings.HasSuffix(r.URL.Path, "/toggle_typing_status")
		if r.Method == http.MethodGet || sign && n%11 != 3 { // a sign is given up after a few tries, so most come through
			return fakeFault{}
		}
		switch n % 11 {
		case 1:
			return fakeFault{status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": "1"}}
		case 3:
			return fakeFault{status: http.StatusInternalServerError}
		case 5:
			return fakeFault{reset: true}
		case 7:
			return fakeFault{lost: strings.HasSuffix(r.URL.Path, "/messages")}
		case 9:
			return fakeFault{slow: 200 * time.Millisecond}
		}
		return fakeFault{}
	})
	var writing sync.WaitGroup
	for c := range conversations {
		writing.Go(func() {
			for i := range lines {
				what := f.incoming(1000*c+i, c, fmt.Sprintf("c%d line %d", c, i))
				var reports sync.WaitGroup
				for n := range 2 {
					reports.Go(func() {
						r := f.report(context.Background(), nodes[(c+n)%2].url+"/webhook/chatwoot?wait=0", what)
						if r.code != http.StatusOK || r.Status != "accepted" {
							t.Errorf("conversation %d, line %d: %+v", c, i, r)
						}
					})
				}
				reports.Wait()
			}
		})
	}
	writing.Wait()
	for c := range conversations {
		if got := f.said(c); len(got) > 0 {
			t.Fatalf("conversation %d was answered by an agent that is away: %q", c, got)
		}
	}
	agent.up()
	late := time.After(4 * time.Minute)
	for done := false; !done; {
		select {
		case <-late:
			t.Fatalf("not all is answered\n%s", nodes[0].out)
		case <-time.After(100 * time.Millisecond):
		}
		done = true
		for c := range conversations {
			if !strings.Contains(strings.Join(f.said(c), "\n"), fmt.Sprintf("c%d line %d", c, lines-1)) {
				done = false
			}
		}
	}
	for _, s := range nodes {
		s.stop()
	}
	for c := range conversations {
		all := strings.Join(f.said(c), "\n")
		at := -1
		for i := range lines {
			line := fmt.Sprintf("c%d line %d", c, i)
			if n := strings.Count(all, line); n != 1 {
				t.Errorf("conversation %d: line %d is answered %d times in %q", c, i, n, all)
			}
			if now := strings.Index(all, line); now <= at {
				t.Errorf("conversation %d: out of order: %q", c, all)
			} else {
				at = now
			}
		}
	}
	for c, signs := range f.signs() {
		if signs[len(signs)-1] != "off" {
			t.Errorf("conversation %s: typing %q", c, signs)
		}
	}
}

// A server that is killed, again and again, between taking a message and posting its answer loses and doubles nothing.
func TestChatwootKilled(t *testing.T) {
	t.Parallel()
	f := newFakeChatwoot(t)
	e := bridged(t, f, mockService1(t, "echo"), nil)
	f.wrong(func(*http.Request, int) fakeFault { return fakeFault{status: http.StatusServiceUnavailable} })
	const conversations = 30 // who write at once, so that what they write is kept before it is recorded
	for round := range 3 {
		s, kill := spawn(t, e)
		var all sync.WaitGroup
		for c := range conversations {
			all.Go(func() {
				r := f.report(t.Context(), s.url+"/webhook/chatwoot?wait=0", f.incoming(100*round+c, c, fmt.Sprintf("round %d", round)))
				if r.code != http.StatusOK {
					t.Errorf("%+v\n%s", r, s.out)
				}
			})
		}
		all.Wait()
		kill()
	}
	f.wrong(func(_ *http.Request, n int) fakeFault { return fakeFault{lost: n%4 == 0} })
	s, _ := spawn(t, e)
	for round := range 3 { // Chatwoot reports everything once more
		for c := range conversations {
			f.report(t.Context(), s.url+"/webhook/chatwoot?wait=0", f.incoming(100*round+c, c, fmt.Sprintf("round %d", round)))
		}
	}
	late := time.After(4 * time.Minute) // what was on its way when its node was killed comes due again after a few seconds
	for c := 0; c < conversations; {
		if strings.Contains(strings.Join(f.said(c), "\n"), "round 2") {
			c++
			continue
		}
		select {
		case <-late:
			t.Fatalf("conversation %d: %q\n%s", c, f.said(c), s.out)
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.stop()
	for c := range conversations {
		all := strings.Join(f.said(c), "\n")
		for round := range 3 {
			if n := strings.Count(all, fmt.Sprintf("round %d", round)); n != 1 {
				t.Errorf("conversation %d: round %d is answered %d times in %q", c, round, n, f.said(c))
			}
		}
	}
}
