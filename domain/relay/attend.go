package relay

import (
	"context"
	"sync/atomic"

	"github.com/parley-chat/parley/domain"
)

// Attend is Follow for the many who are silent most of the time: it keeps a goroutine only while something happens. What happens is
// handed to tell, one update after another; following is over when tell returns false, and ends as Follow does. done is called then,
// after the last tell, with what Follow would end with. Both may block.
func (r *Relay) Attend(ctx context.Context, org domain.OrgID, thread domain.ThreadID, after int64, tell func(Update) bool, done func(error)) {
	a := &attendance{ctx: ctx, tell: tell, done: done}
	a.awake.Store(true) // nobody is roused before all is in place
	a.reading = reading{r: r, org: org, thread: thread, after: after}
	a.f, a.leave = r.hub.follow(thread, a.rouse)
	a.unbind = context.AfterFunc(ctx, a.rouse)
	a.f.nudge()
	go a.run()
}

// attendance is one who attends.
type attendance struct {
	reading
	ctx    context.Context
	tell   func(Update) bool
	done   func(error)
	leave  func()
	unbind func() bool
	awake  atomic.Bool // a goroutine runs, or all is over
}

// rouse sees to it that somebody looks at what has come.
func (a *attendance) rouse() {
	if a.awake.CompareAndSwap(false, true) {
		go a.run()
	}
}

// run tells what has come until there is nothing left, and leaves.
func (a *attendance) run() {
	for a.catchUp() {
		if a.asleep() {
			return
		}
	}
	a.unbind()
	a.leave()
	a.done(a.err)
}

// asleep lets the goroutine go. It returns false when that must go on: who roused while it was about to leave found it still awake, so it
// looks once more when it no longer is.
func (a *attendance) asleep() bool {
	a.awake.Store(false)
	return a.ctx.Err() == nil && len(a.f.wake) == 0 && len(a.f.hints) == 0 || !a.awake.CompareAndSwap(false, true)
}

// catchUp returns false when following is over.
func (a *attendance) catchUp() bool {
	for {
		select {
		case <-a.ctx.Done():
			return false
		case <-a.f.wake:
			if !a.f.hinted(a.tell) || !a.read(a.ctx, a.tell) {
				return false
			}
		case h := <-a.f.hints:
			if !a.tell(Update{Hint: h}) {
				return false
			}
		default:
			return true
		}
	}
}
