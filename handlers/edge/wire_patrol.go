package edge

import (
	"bytes"
	"syscall"
	"time"
)

// A round of the patrol is as long as the time between two heartbeats. In each every wire is looked at three times.
const (
	round = 15
	looks = 3
)

var stillHere = chunk(&bytes.Buffer{}, []byte(": still here\n\n"))

// patrolled adds a wire to those that the patrol looks after, and begins it with the first.
func (s *Streams) patrolled(w *Wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wires[w] = struct{}{}; len(s.wires) == 1 && !s.patrols {
		s.patrols = true
		s.open.Go(s.patrol)
	}
	if s.closed || s.cut {
		w.lose()
	}
}

// patrol keeps all wires alive, and finds out whose reader has gone, until there is none left.
func (s *Streams) patrol() {
	tick := time.NewTicker(max(s.heartbeat/round, time.Millisecond))
	defer tick.Stop()
	var due []*Wire
	for now := 0; ; now = (now + 1) % round {
		select {
		case <-tick.C:
		case <-s.base.Done(): // nobody is left who will stay
			return
		}
		s.mu.Lock()
		if s.patrols = len(s.wires) > 0; !s.patrols {
			s.mu.Unlock()
			return
		}
		for w := range s.wires {
			if w.slot%(round/looks) == now%(round/looks) {
				due = append(due, w)
			}
		}
		s.mu.Unlock()
		for _, w := range due {
			w.look(w.slot == now)
		}
		clear(due)
		due = due[:0]
	}
}

// look finds out whether the reader is still there, and gives it a sign of life if it is time for one. A reader who has much before
// them needs none. It never blocks.
func (w *Wire) look(beat bool) {
	if !w.writing.TryLock() {
		return
	}
	switch {
	case w.lost.Load():
	case w.hungUp():
		w.lose()
	case beat:
		if rest := stillHere[w.trickle(stillHere):]; len(rest) > 0 { // there is no room for it: the reader takes nothing, or takes it late
			w.streams.open.Go(func() {
				defer w.writing.Unlock()
				w.put(rest)
			})
			return
		}
	}
	w.writing.Unlock()
}

// hungUp reports whether the reader has closed the connection.
func (w *Wire) hungUp() (up bool) {
	if w.raw == nil {
		return false
	}
	err := w.raw.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		up = n == 0 && err == nil || err == syscall.ECONNRESET
	})
	return up || err != nil
}

// trickle writes as much as there is room for, and says how much that was.
func (w *Wire) trickle(b []byte) (n int) {
	if w.raw == nil {
		return 0
	}
	_ = w.raw.Control(func(fd uintptr) { n, _ = syscall.Write(int(fd), b) })
	return max(n, 0)
}
