package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// tally counts what happens to all visitors together.
type tally struct {
	mu             sync.Mutex
	begun, ended   time.Time
	lines, acked   int
	acks, replies  []time.Duration
	connections    int
	reconnects     int
	cuts           int
	repeats        int
	limited        int
	longestSilence time.Duration
	faults         map[string]int
}

func newTally() *tally { return &tally{faults: map[string]int{}} }

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun = time.Now()
}

func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = time.Now()
}

func (t *tally) said() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines++
}

func (t *tally) sofar() (said, acked int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines, t.acked
}

func (t *tally) ack(after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.acked++
	t.acks = append(t.acks, after)
}

func (t *tally) reply(after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replies = append(t.replies, after)
}

func (t *tally) connected(again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	if again {
		t.reconnects++
	}
}

func (t *tally) cut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cuts++
}

func (t *tally) repeat() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.repeats++
}

// fault counts something the server said no to or did wrong, by name.
func (t *tally) fault(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[name]++
}

// closed counts a connection that ended although ctx, which ends with it when this side cuts it, has not.
func (t *tally) closed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	no, isNo := errors.AsType[*refusal](err)
	switch code := websocket.CloseStatus(err); {
	case isNo:
		t.fault(no.Code)
	case code >= 0:
		t.fault(fmt.Sprintf("closed with %d", int(code)))
	default:
		t.fault("connection lost")
	}
}

// slowed says how long to wait after a refusal, and remembers limits.
func (t *tally) slowed(no *refusal, failures int) time.Duration {
	wait := no.RetryAfter
	if wait == 0 {
		wait = backoff(failures)
	}
	if no.Code == "rate_limited" || no.Code == "daily_cap" {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.limited++
		t.longestSilence = max(t.longestSilence, wait)
	}
	return wait
}

// Latency is how long something took, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// latencyOf sorts what it is given.
func latencyOf(all []time.Duration) Latency {
	if len(all) == 0 {
		return Latency{}
	}
	slices.Sort(all)
	at := func(percent int) float64 { // the nearest rank
		rank := (len(all)*percent + 99) / 100
		return float64(all[max(0, rank-1)].Microseconds()) / 1000
	}
	return Latency{P50: at(50), P95: at(95), P99: at(99), Max: at(100)}
}
