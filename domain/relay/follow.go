package relay

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Update is one thing a follower learns; exactly one field is set.
type Update struct {
	Message  *domain.Message
	Standing *ledger.Standing // who has the thread and what was read: once at the start, then whenever it changed
	Hint     *Hint
}

const (
	followPage    = 200 // messages read at once
	followTimeout = 10 * time.Second
	followRetry   = 250 * time.Millisecond // doubling to followRetryTo while the database is away
	followRetryTo = 5 * time.Second
)

// Follow yields what happens in a thread: each message after seq exactly once and in order, those already stored and then each
// new one, its standing, and hints. It waits out a database that is away. It ends with ctx, or with an error when the thread
// cannot be read at all.
//
// It subscribes before the first read, so nothing falls between; wake-ups nobody has taken yet merge.
func (r *Relay) Follow(ctx context.Context, org domain.OrgID, thread domain.ThreadID, after int64) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		f, leave := r.hub.follow(thread, nil)
		defer leave()
		tell := func(u Update) bool { return yield(u, nil) }
		x := reading{r: r, f: f, org: org, thread: thread, after: after}
		for x.read(ctx, tell) && wait(ctx, f, tell) {
		}
		if x.err != nil {
			yield(Update{}, x.err)
		}
	}
}

// reading is how far one follower has read.
type reading struct {
	r      *Relay
	f      *follower
	org    domain.OrgID
	thread domain.ThreadID
	after  int64
	stands ledger.Standing
	err    error // why the thread cannot be read
}

// read tells what the follower has not been told. It returns false when following is over.
func (x *reading) read(ctx context.Context, tell func(Update) bool) bool {
	retry := followRetry
	for {
		next, err := x.r.since(ctx, x.f, x.org, x.thread, x.after)
		switch {
		case ctx.Err() != nil:
			return false
		case domain.KindOf(err) == domain.Unavailable:
			select {
			case <-time.After(retry):
			case <-ctx.Done():
				return false
			}
			retry = min(2*retry, followRetryTo)
			continue
		case err != nil:
			x.err = err
			return false
		}
		retry = followRetry
		for i := range next.messages {
			if !tell(Update{Message: &next.messages[i]}) {
				return false
			}
			x.after = next.messages[i].Seq
		}
		if len(next.messages) == followPage {
			continue
		}
		if !changed(x.stands, next.standing) {
			return true
		}
		x.stands = next.standing
		return tell(Update{Standing: &next.standing})
	}
}

// wait hands on hints until the follower is woken, and then those that came before: the pieces of an answer are worth nothing
// after it. It returns false when following is over.
func wait(ctx context.Context, f *follower, tell func(Update) bool) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-f.wake:
			return f.hinted(tell)
		case h := <-f.hints:
			if !tell(Update{Hint: h}) {
				return false
			}
		}
	}
}

// hinted hands on the hints that have come.
func (f *follower) hinted(tell func(Update) bool) bool {
	for range len(f.hints) {
		if !tell(Update{Hint: <-f.hints}) {
			return false
		}
	}
	return true
}

func changed(was, is ledger.Standing) bool {
	was.LastSeq = is.LastSeq // that messages came is told by the messages
	return was != is
}

type page struct {
	standing ledger.Standing
	messages []domain.Message
}

// since reads what comes after a cursor. Followers that ask for the same after the same wake-up share one read.
func (r *Relay) since(ctx context.Context, f *follower, org domain.OrgID, thread domain.ThreadID, after int64) (page, error) {
	got := r.reads.DoChan(f.readKey(org, thread, after), func() (any, error) {
		// not the first asker's context: others wait for the same answer
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), followTimeout)
		defer cancel()
		s, ms, err := r.ledger.Since(ctx, org, thread, after, followPage)
		return page{s, ms}, err
	})
	select {
	case <-ctx.Done():
		return page{}, ctx.Err()
	case res := <-got:
		return res.Val.(page), res.Err
	}
}

// readKey names a read that may be shared. A read that began before the follower's last wake-up may lack what it was woken for,
// so wake-ups are part of the name.
func (f *follower) readKey(org domain.OrgID, thread domain.ThreadID, after int64) string {
	return fmt.Sprint(org, thread, after, " ", f.thread.grown.Load())
}

// FollowOrganisation yields each time something has happened in one of an organisation's threads since the last time, until ctx
// ends. What happened meanwhile merges.
func (r *Relay) FollowOrganisation(ctx context.Context, org domain.OrgID) iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		f, leave := r.hub.followOrg(org)
		defer leave()
		for {
			select {
			case <-ctx.Done():
				return
			case <-f.wake:
				if !yield(struct{}{}) {
					return
				}
			}
		}
	}
}
