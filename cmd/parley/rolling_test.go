package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestRollingRestart replaces two nodes one after the other, and kills one without a word, while visitors write and an agent
// answers: no acknowledged line and no turn is lost, and nobody is told anything twice or out of order.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	e := environment(t)
	const visitors = 5
	var asked atomic.Int32
	external := agentService(t, func(ctx context.Context, question string) string {
		asked.Add(1)
		select { // long enough for a node to go meanwhile
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
		return "answer to " + question
	})
	f := &fleet{t: t, e: e}
	f.start(0)
	key := f.nodes[0].Load().bind(t, apiKey(t, e, "demo"), external)
	f.start(1)

	var crowd []*regular
	for n := range visitors {
		crowd = append(crowd, &regular{fleet: f, n: n, visitor: f.nodes[n%2].Load().visit(t, key)})
	}
	var writing, reading sync.WaitGroup
	over, stop := context.WithCancel(t.Context())
	defer stop()
	var calm atomic.Bool
	for _, r := range crowd {
		writing.Go(func() { r.write(&calm) })
		reading.Go(func() { r.read(over) })
	}
	f.busy(&asked)
	f.replace(0, true)
	f.busy(&asked)
	f.replace(1, true)
	f.busy(&asked)
	f.replace(0, false)
	f.busy(&asked)
	calm.Store(true)
	writing.Wait()
	for _, r := range crowd {
		want := r.v().lines(t)
		eventually(t, "reader that has it all", func() bool { return len(r.heard()) >= len(want) })
		r.check(want)
	}
	stop()
	reading.Wait()
}

// fleet is two nodes of one database.
type fleet struct {
	t     *testing.T
	e     env
	nodes [2]atomic.Pointer[server]
	kill  [2]func()
}

func (f *fleet) start(i int) {
	f.t.Helper()
	s, kill := spawn(f.t, f.e, "--demo")
	f.nodes[i].Store(s)
	f.kill[i] = kill
}

// replace ends a node, as an operator does or as a power cut does, and starts another one at another address.
func (f *fleet) replace(i int, gently bool) {
	f.t.Helper()
	if !gently {
		f.kill[i]()
	} else if code := f.nodes[i].Load().stop(); code != 0 {
		f.t.Errorf("node %d ended with %d: %s", i, code, f.nodes[i].Load().out)
	}
	f.start(i)
}

// busy waits until the agent has been asked once more, so that a turn is on its way; or for a while, when nobody asks any more.
func (f *fleet) busy(asked *atomic.Int32) {
	before, late := asked.Load(), time.Now().Add(5*time.Second)
	eventually(f.t, "turn", func() bool { return asked.Load() > before || time.Now().After(late) })
}

// regular is a visitor whom no restart keeps from writing and reading on.
type regular struct {
	*fleet
	*visitor
	n    int
	said atomic.Int32
	mu   sync.Mutex
	told []line
}

// v is the visitor at a node that is there.
func (r *regular) v() *visitor { return &visitor{r.nodes[r.n%2].Load(), r.base, r.token} }

func (r *regular) heard() []line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.told)
}

// ask makes a request at a node and decodes a good answer into to. It returns 0 when the answer never came whole.
func (r *regular) ask(ctx context.Context, node int, method, path string, body, to any) int {
	var send bytes.Buffer
	if body != nil {
		_ = json.NewEncoder(&send).Encode(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.nodes[node%2].Load().url+r.base+path, &send)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if to != nil && resp.StatusCode < 300 && json.NewDecoder(resp.Body).Decode(to) != nil {
		return 0
	}
	return resp.StatusCode
}

const mostLines = 45 // with their answers they fit on a page of history

// write says one line after another, each until some node has acknowledged it, and waits for its answer before the next; until
// everything is calm.
func (r *regular) write(calm *atomic.Bool) {
	for n := 0; n == 0 || n < mostLines && !calm.Load(); n++ {
		text := fmt.Sprintf("[%d.%d]", r.n, n)
		late := time.Now().Add(2 * patience)
		for try, done := r.n+n, false; !done; try++ {
			code := r.ask(r.t.Context(), try, "POST", "/messages", map[string]string{"client_id": text, "content": text}, nil)
			if done = code == 200 || code == 201; !done && (code != 0 && code != 503 || time.Now().After(late)) {
				r.t.Errorf("%s is refused with %d", text, code)
				return
			}
		}
		r.said.Add(1)
		answered := func() bool {
			return slices.ContainsFunc(r.heard(), func(l line) bool { return l.Author.Kind == "agent" && strings.Contains(l.Content, text) })
		}
		for !answered() {
			if time.Now().After(late) {
				r.t.Errorf("no answer to %s", text)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// read asks for what comes after its cursor, on one node and the other, until ctx ends.
func (r *regular) read(ctx context.Context) {
	for try := r.n; ctx.Err() == nil; try++ {
		var answer struct {
			Frames []struct {
				line
				Type string
			}
		}
		seq := len(r.heard())
		if r.ask(ctx, try, "GET", fmt.Sprint("/poll?wait=2&after_seq=", seq), nil, &answer) != 200 {
			time.Sleep(20 * time.Millisecond) // as somebody who tries again
			continue
		}
		for _, f := range answer.Frames {
			if f.Type != "message" {
				continue
			}
			if seq++; f.Seq != int64(seq) {
				r.t.Errorf("visitor %d was told %d after %d", r.n, f.Seq, seq-1)
				return
			}
			r.mu.Lock()
			r.told = append(r.told, f.line)
			r.mu.Unlock()
		}
	}
}

// check holds what the visitor wrote and was told against what is stored, and wants each line answered once.
func (r *regular) check(stored []line) {
	r.t.Helper()
	lines := int(r.said.Load())
	r.t.Logf("visitor %d: %d lines, %d stored", r.n, lines, len(stored))
	if got, want := contents(r.heard()), contents(stored); !slices.Equal(got, want) {
		r.t.Errorf("visitor %d was told\n%q, stored is\n%q", r.n, got, want)
	}
	said, answers := 0, strings.Builder{}
	for _, l := range stored {
		switch l.Author.Kind {
		case "visitor":
			if want := fmt.Sprintf("[%d.%d]", r.n, said); l.Content != want {
				r.t.Errorf("visitor %d: line %d is %q, want %q", r.n, said, l.Content, want)
			}
			said++
		case "agent":
			answers.WriteString(l.Content)
		default:
			r.t.Errorf("visitor %d was told by %s: %q", r.n, l.Author.Kind, l.Content)
		}
	}
	if said != lines {
		r.t.Errorf("visitor %d: %d lines are stored, want %d", r.n, said, lines)
	}
	for n := range lines {
		if tag := fmt.Sprintf("[%d.%d]", r.n, n); strings.Count(answers.String(), tag) != 1 {
			r.t.Errorf("%s is answered %d times", tag, strings.Count(answers.String(), tag))
		}
	}
}
