package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
)

// wellEvery is how often a node writes down that an agent does well.
const wellEvery = 30 * time.Second

// circuits tells the ledger which agents fail and which answer. It remembers what it told, so that an ordinary success costs no statement.
type circuits struct {
	d  *Dispatcher
	mu sync.Mutex
	// ailing are agents whose latest turn, as far as this node knows, failed; well is when it last stored that an agent answers.
	ailing map[domain.AgentID]bool
	well   map[domain.AgentID]time.Time
}

func newCircuits(d *Dispatcher) *circuits {
	return &circuits{d: d, ailing: map[domain.AgentID]bool{}, well: map[domain.AgentID]time.Time{}}
}

// blames reports whether a failure counts against the agent: it could not be reached, or did not give an answer. A permanent failure is
// about the request or the agent's settings, and an open circuit would only hide that.
func blames(f *agent.Failure) bool {
	return !f.Permanent && !errors.Is(f, errOurs) && !errors.Is(f, errTaken)
}

// failed counts a failure and reports whether the agent's circuit is open now.
func (c *circuits) failed(ctx context.Context, cl ledger.Claim, reason string) (open bool) {
	c.mu.Lock()
	c.ailing[cl.Agent] = true
	c.mu.Unlock()
	open, opened, err := c.d.ledger.AgentFailed(context.WithoutCancel(ctx), cl.OrgID, cl.Agent, reason)
	if err != nil {
		c.d.o.Log.WarnContext(ctx, "an agent's failure was not counted", "agent", cl.Agent, "err", err)
		return false
	}
	if opened {
		c.d.o.Log.WarnContext(ctx, "circuit opened: the agent gets no turns but a probe", "agent", cl.Agent, "reason", reason)
		c.d.changed(domain.CircuitOpen)
	}
	return open
}

// answered notes a success where that is news: after failures, and now and then.
func (c *circuits) answered(ctx context.Context, cl ledger.Claim) {
	c.mu.Lock()
	news := cl.Ailing || c.ailing[cl.Agent] || time.Since(c.well[cl.Agent]) > wellEvery
	if news {
		delete(c.ailing, cl.Agent)
		c.well[cl.Agent] = time.Now()
	}
	c.mu.Unlock()
	if !news {
		return
	}
	closed, err := c.d.ledger.AgentAnswered(context.WithoutCancel(ctx), cl.OrgID, cl.Agent)
	if err != nil {
		c.mu.Lock()
		c.ailing[cl.Agent] = true // say it with the next one
		c.mu.Unlock()
		c.d.o.Log.WarnContext(ctx, "an agent's success was not noted", "agent", cl.Agent, "err", err)
	}
	if closed {
		c.d.o.Log.InfoContext(ctx, "circuit closed: the agent answers again", "agent", cl.Agent)
		c.d.changed(domain.CircuitClosed)
		c.d.relay.Work(time.Time{}) // what waited is due, on every node
	}
}

// errOurs marks failures that say nothing of the agent.
var errOurs = errors.New("dispatch: not the agent's fault")
