package dispatch_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// crowdBeside is how soon after each other turns and posts go on beside a crowd that waits for acknowledgements.
const crowdBeside = 5 * time.Millisecond

// begins are when things began.
type begins struct {
	mu sync.Mutex
	at []time.Time
}

func (b *begins) now() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = append(b.at, time.Now())
}

// oneByOne waits for all of them. The clock of the ticks is not that of the begins, so single ones may come closer to each other.
func (b *begins) oneByOne(t *testing.T, what string, all int) {
	t.Helper()
	within(t, what, func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.at) == all })
	if took, least := b.at[all-1].Sub(b.at[0]), time.Duration(all-2)*crowdBeside*3/4; took < least {
		t.Errorf("%d %s began within %v beside a crowd, want at least %v", all, what, took, least)
	}
}

const besides = 60

// Beside a crowd turns begin one by one, and do not wait for it to go.
func TestTurnsGiveWay(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	ch := c.account(t, l, f)
	ledgertest.Set(t, l, "agents", f.Agent, "max_concurrent", 1000)
	for range 10 {
		defer l.Acknowledging()()
	}
	for i := range besides {
		hears(t, l, conversation(t, l, ch, f, fmt.Sprint(i)), fmt.Sprint(i))
	}
	var begun begins
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		begun.now()
		return answer("Hello.")
	}, dispatch.Options{})
	begun.oneByOne(t, "turns", besides)
}

// So do posts.
func TestPostsGiveWay(t *testing.T) {
	t.Parallel()
	l, c := ledgertest.New(t), newThere(t)
	f := ledgertest.Seed(t, l)
	ch := c.account(t, l, f)
	for i := range besides {
		do(t, l, conversation(t, l, ch, f, fmt.Sprint(i)), ledger.PersonReply{User: f.User, ClientID: "1", Content: "Hello."})
	}
	for range 10 {
		defer l.Acknowledging()()
	}
	var begun begins
	way := &dispatch.Chatwoot{Ledger: l, Outbound: &agent.Outbound{}}
	courier := dispatch.NewCourier(l, map[string]dispatch.Transport{ledger.TransportChatwoot: timed{way, &begun}}, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = courier.Run(ctx) })
	defer running.Wait()
	defer stop()
	begun.oneByOne(t, "posts", besides)
}

// timed notes when each delivery is sent.
type timed struct {
	dispatch.Transport
	*begins
}

func (w timed) Send(ctx context.Context, d ledger.Delivery) error {
	w.now()
	return w.Transport.Send(ctx, d)
}
