// Package dispatch gives agents their turns: it claims dispatches that are due, runs their turns under a lease, and appends what
// came of them. It must never decide who may speak (the ledger's append does, in one place) or hold work that is not a row.
package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
)

// Options of a Dispatcher; the zero value of a field means its default.
type Options struct {
	Workers int           // turns at once on this node (64)
	Lease   time.Duration // how long a turn stays ours without a sign of life (15 s); renewed three times as often
	Grace   time.Duration // how long turns may go on after Run was told to end (10 s)
	Sweep   time.Duration // how long a dispatch whose wake-up was lost waits at most (1 min)
	Log     *slog.Logger

	PublicURL string // where agents find this server, for the files that visitors send

	// Typing is told when an agent begins and ends to write in a thread that is read in a Chatwoot, or may be; nil: nobody is. It must
	// not block.
	Typing func(org domain.OrgID, thread domain.ThreadID, on bool)
}

// Dispatcher runs the turns of one node. Any number of nodes may run one on the same ledger.
type Dispatcher struct {
	ledger  *ledger.Ledger
	relay   *relay.Relay
	voice   func(domain.Agent) (agent.Runtime, error)
	o       Options
	alarm   *alarm
	waits   *alarm // for whoever waits for too long
	leases  *leases
	running sync.WaitGroup
	free    chan struct{} // one token a worker that has nothing to do
	ended   []func(Ended)
	changed func(domain.Circuit)

	births   *births
	typists  *typists
	circuits *circuits
	texts    keptTexts
	full     atomic.Bool // something waits for an agent that has all the turns it may have
}

// Ended is a turn that has ended on this node.
type Ended struct {
	Outcome string // done, failed, released, stopped or skipped
	Reason  string // of a failure
	Begun   time.Time
	Took    time.Duration

	Turn    domain.TurnID
	Thread  domain.ThreadID
	Agent   domain.AgentID
	Attempt int
	Steps   []agent.Step // what happened in it, in order
}

// OnTurn adds somebody who hears of every turn's end; they must not block. Call it before Run.
func (d *Dispatcher) OnTurn(f func(Ended)) { d.ended = append(d.ended, f) }

// OnCircuit names who hears when this node opens or closes an agent's circuit; it must not block. Call it once, before Run.
func (d *Dispatcher) OnCircuit(f func(domain.Circuit)) { d.changed = f }

const (
	claimPause = 10 * time.Millisecond // before claiming again what is due but was locked
	retryPause = time.Second           // before asking a database again that is away
	sweepMost  = 500                   // threads of one sweep
	claimMax   = 64                    // dispatches in one statement
)

// New makes a dispatcher; voice makes the runtime of an agent. Run must be called.
func New(l *ledger.Ledger, r *relay.Relay, voice func(domain.Agent) (agent.Runtime, error), o Options) *Dispatcher {
	if o.Workers == 0 {
		o.Workers = 64
	}
	if o.Lease == 0 {
		o.Lease = 15 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.Sweep == 0 {
		o.Sweep = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	d := &Dispatcher{ledger: l, relay: r, voice: voice, o: o, alarm: newAlarm(), waits: newAlarm(), leases: newLeases(), free: make(chan struct{}, o.Workers), changed: func(domain.Circuit) {}, typists: newTypists()}
	d.circuits = newCircuits(d)
	for range o.Workers {
		d.free <- struct{}{}
	}
	r.OnWork(d.Wake)
	l.OnCommit(d.committed)
	d.births = &births{d: d}
	l.OnBirth(ledger.Births{Lease: o.Lease, Lines: historyLines, Reserve: d.births.reserve, Release: d.births.release, Begin: d.births.run})
	r.OnHint(func(h relay.Hint) {
		if d.typists.heard(h, time.Now()) {
			d.Wake(time.Time{})
		}
	})
	r.OnStop(d.leases.stop)
	return d
}

// Wake says that a dispatch wants a worker at due; a zero due means: look now. It never blocks; of many calls the soonest counts.
func (d *Dispatcher) Wake(due time.Time) { d.alarm.set(due) }

var errShutdown = errors.New("dispatch: shutting down")

// Run takes turns until ctx ends. It then claims no more, lets those in progress go on for Grace, hands back what is left, and
// returns once every turn has ended. A turn cut short in another way stays in the ledger and comes due again when its lease runs out.
func (d *Dispatcher) Run(ctx context.Context) error {
	turns, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	defer context.AfterFunc(ctx, func() { time.AfterFunc(d.o.Grace, func() { cut(errShutdown) }) })()

	renewing, stop := context.WithCancel(turns)
	var renewer sync.WaitGroup
	renewer.Go(func() { d.renew(renewing) })
	renewer.Go(func() { d.watchWaits(ctx) })
	d.births.begin(turns)
	d.claim(ctx, turns)
	d.births.end()
	d.running.Wait()
	stop()
	renewer.Wait()
	return nil
}

// claim takes what is due, waits for what comes due next or for a wake-up, and so on until ctx ends.
func (d *Dispatcher) claim(ctx, turns context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	at := time.Now() // when next fires
	sweep := time.NewTicker(d.o.Sweep)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.alarm.rings:
			due := d.alarm.take()
			if !due.Before(at) {
				continue
			}
			at = due
			next.Reset(time.Until(due))
			continue
		case <-sweep.C:
			d.sweep(ctx)
		case <-next.C:
		}
		wait := d.take(ctx, turns)
		at = time.Now().Add(wait)
		next.Reset(wait)
	}
}

// take claims until nothing is due or no worker is free, and says in how long to look again.
func (d *Dispatcher) take(ctx, turns context.Context) time.Duration {
	for {
		free, ok := d.reserve(ctx)
		if !ok {
			return 0
		}
		d.ledger.GiveWay(ctx)
		pauses, stop := d.typists.pauses(time.Now())
		claims, err := d.ledger.Claim(ctx, free, d.o.Lease, pauses)
		for range free - len(claims) {
			d.free <- struct{}{}
		}
		for _, c := range claims {
			d.running.Go(func() {
				defer d.done()
				d.turn(turns, c)
			})
		}
		if err == nil && len(claims) == free {
			continue
		}
		var due ledger.Due
		if err == nil {
			due, err = d.ledger.NextDue(ctx, pauses)
			d.full.Store(due.Full)
		}
		switch {
		case ctx.Err() != nil:
			return 0
		case err != nil:
			d.o.Log.WarnContext(ctx, "cannot claim", "err", err)
			return retryPause
		}
		return d.wait(due, stop)
	}
}

// wait is how long nothing will come due. Somebody who writes may stop without a word: then what waits for them is due.
func (d *Dispatcher) wait(due ledger.Due, typing time.Time) time.Duration {
	w := d.o.Sweep
	if due.Any {
		w = min(w, max(due.In, claimPause))
	}
	if !typing.IsZero() {
		w = min(w, max(time.Until(typing), claimPause))
	}
	return w
}

// done gives a worker back. If something waits for an agent that was full, there may be room now.
func (d *Dispatcher) done() {
	d.free <- struct{}{}
	if d.full.Load() {
		d.Wake(time.Time{})
	}
}

// sweep looks after what no wake-up tells of: turns nobody will finish, lines nobody was asked to answer, and dispatches that
// have waited for their agent for too long.
func (d *Dispatcher) sweep(ctx context.Context) {
	if err := d.ledger.SweepTurns(ctx); err != nil && ctx.Err() == nil {
		d.o.Log.WarnContext(ctx, "sweep failed", "err", err)
	}
	left, err := d.ledger.Left(ctx, sweepMost)
	if err != nil && ctx.Err() == nil {
		d.o.Log.WarnContext(ctx, "sweep failed", "err", err)
	}
	for _, a := range left {
		if _, err := d.ledger.Append(ctx, a); err != nil && ctx.Err() == nil {
			d.o.Log.WarnContext(ctx, "what was left behind is left for the next sweep", "thread", a.ThreadID, "err", err)
		}
	}
	if len(left) > 0 {
		d.o.Log.InfoContext(ctx, "swept up", "threads", len(left))
	}
}

// reserve waits for a free worker and takes whichever others are free too.
func (d *Dispatcher) reserve(ctx context.Context) (n int, ok bool) {
	select {
	case <-d.free:
	case <-ctx.Done():
		return 0, false
	}
	for n = 1; n < claimMax; n++ {
		select {
		case <-d.free:
		default:
			return n, true
		}
	}
	return n, true
}
