package dispatch

import (
	"sync"
	"time"
)

// alarm remembers the soonest time anybody asked for since it was last taken.
type alarm struct {
	rings chan struct{} // has something in it while a time waits to be taken
	mu    sync.Mutex
	at    time.Time
}

func newAlarm() *alarm { return &alarm{rings: make(chan struct{}, 1)} }

// set asks for a time; the zero time means the soonest of all.
func (a *alarm) set(at time.Time) {
	if at.IsZero() {
		at = time.Now()
	}
	a.mu.Lock()
	if a.at.IsZero() || at.Before(a.at) {
		a.at = at
	}
	a.mu.Unlock()
	select {
	case a.rings <- struct{}{}:
	default:
	}
}

// take empties the alarm. It is called after it rang.
func (a *alarm) take() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.at
	a.at = time.Time{}
	if at.IsZero() { // taken between a set and its ring
		return time.Now()
	}
	return at
}
