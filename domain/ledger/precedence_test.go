package ledger

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Nobody goes on beside a crowd that has just come; beside one that stays others do, but only now and then; a few at a time do when it
// has gone, and all at once when there was none.
func TestGiveWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &Ledger{core: &core{}}
		const others = 40
		var on atomic.Int32
		begin := func() {
			for range others {
				go func() { l.GiveWay(t.Context()); on.Add(1) }()
			}
			synctest.Wait()
		}
		few := l.Acknowledging()
		if begin(); on.Load() != others {
			t.Errorf("%d of %d go on where nobody else is", on.Load(), others)
		}
		on.Store(0)
		var crowd []func()
		for range crowdFrom {
			crowd = append(crowd, l.Acknowledging())
		}
		begin()
		time.Sleep(crowdAlone - time.Millisecond)
		if synctest.Wait(); on.Load() > 0 {
			t.Errorf("%d go on beside a crowd that has just come", on.Load())
		}
		const ticks = 10
		time.Sleep(ticks * crowdTick)
		if synctest.Wait(); on.Load() < ticks/2 || on.Load() > ticks+1 {
			t.Errorf("%d go on in %d ticks", on.Load(), ticks)
		}
		for _, done := range crowd {
			done()
			done()
		}
		few()
		was := on.Load()
		time.Sleep(crowdTick + crowdLull + 3*afterTick)
		if synctest.Wait(); on.Load() <= was+1 || on.Load() == others {
			t.Errorf("%d go on soon after the crowd, %d had before", on.Load(), was)
		}
		time.Sleep(others * afterTick)
		if synctest.Wait(); on.Load() != others {
			t.Errorf("%d of %d go on once it has gone", on.Load(), others)
		}
		if l.first.crowd() || l.first.waiting != 0 || l.first.ticking {
			t.Errorf("left behind: %+v", &l.first)
		}
	})
}

// Somebody always comes, but never many at once: that is no crowd, however it began.
func TestCrowdThins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &Ledger{core: &core{}}
		var crowd []func()
		for range crowdFrom {
			crowd = append(crowd, l.Acknowledging())
		}
		for _, done := range crowd {
			done()
		}
		for range 20 {
			done := l.Acknowledging()
			time.Sleep(time.Millisecond)
			done()
		}
		if l.first.crowd() {
			t.Error("one at a time is a crowd")
		}
	})
}

func TestGiveWayGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &Ledger{core: &core{}}
		var crowd []func()
		for range crowdFrom {
			crowd = append(crowd, l.Acknowledging())
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 10 {
			l.GiveWay(ctx)
		}
		if len(l.first.queue) > 0 {
			t.Errorf("%d still wait", len(l.first.queue))
		}
		for _, done := range crowd {
			done()
		}
		time.Sleep(time.Second)
	})
}
