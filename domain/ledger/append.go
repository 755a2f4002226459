package ledger

import (
	"context"
	"hash/maphash"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Append is one thing that happened in one thread.
type Append struct {
	OrgID    domain.OrgID
	ThreadID domain.ThreadID
	Change   Change
}

// Change is what happened; the types of decide_*.go are all there are.
type Change interface {
	// key is the external id under which the change is recorded once, in this thread or anywhere; empty if it cannot come twice.
	key(thread domain.ThreadID) eventKey
	// decide changes the thread's state and notes the rows to write. It is pure: the same state gives the same rows but for new ids.
	// An error leaves state and rows as they were.
	decide(s *state, w *rows) (Outcome, error)
}

// eventKey is what makes an event unique in its organisation.
type eventKey struct {
	channel, kind, external string
}

// Outcome is what an append led to.
type Outcome struct {
	Before     int64             // the thread's last seq before
	Thread     domain.Thread     // as it stands after
	At         time.Time         // the database's clock when it was decided
	Event      domain.EventID    // of a note
	Message    *domain.Message   // the message stored; of a duplicate the first one's ID, Seq and CreatedAt
	Duplicate  bool              // the same key was there already: nothing was stored
	Suppressed bool              // an agent's words that came too late: recorded, not shown
	Moved      bool              // handling, assignee, read marks or notes changed
	Stopped    domain.DispatchID // its turn may still be running, for nothing; empty = none
	Wait       time.Time         // when somebody may have waited too long because of this; zero = nobody does
	Skip       domain.SkipReason // of an Inbound: why no agent was asked
	Leaves     bool              // something was written down that leaves by another way than our own
	Due        time.Time         // when a dispatch that this append queued or moved wants a worker; zero = none
}

// Append records one change durably and says what it led to. Changes of one thread are decided one after another, whichever
// node they come from. It fails with Unavailable when the database or the queue cannot take it now (the change may then be
// stored or not: keys make sending it again safe), and with whatever the change itself refuses.
func (l *Ledger) Append(ctx context.Context, a Append) (Outcome, error) {
	return l.laneOf(a.ThreadID).append(ctx, a)
}

// AppendInOrder records changes of one thread one after another, in as few commits as it can. It ends with the first that fails, whose
// error it returns: outs are of those before it.
func (l *Ledger) AppendInOrder(ctx context.Context, org domain.OrgID, thread domain.ThreadID, changes []Change) (outs []Outcome, err error) {
	ln := l.laneOf(thread)
	var all []*pending
	var last *pending
	for _, c := range changes {
		p := &pending{Append: Append{org, thread, c}, after: last, done: make(chan struct{})}
		if err = ln.enqueue(p); err != nil {
			break
		}
		all, last = append(all, p), p
	}
	for _, p := range all {
		out, failed := p.await(ctx)
		if failed != nil {
			return outs, failed
		}
		outs = append(outs, out)
	}
	return outs, err
}

func (l *Ledger) laneOf(thread domain.ThreadID) *lane {
	return l.lanes[maphash.String(laneSeed, string(thread))%uint64(len(l.lanes))]
}

var laneSeed = maphash.MakeSeed()
