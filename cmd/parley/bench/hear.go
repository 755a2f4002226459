package bench

import (
	"context"
	"errors"
	"slices"
	"time"
)

// hear takes one frame of the visitor's connection to its journal.
func (v *visitor) hear(f frame) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch f.Type {
	case "message":
		v.told(f)
		if f.Author.Kind == "agent" {
			v.read(f)
		}
	case "ack":
		if !f.Duplicate { // it stands at its seq in the stream; that of a duplicate may stand anywhere
			v.told(f)
		}
		v.acknowledge(f, false)
	case "session":
		v.arrived = true
	case "error":
		v.refuse(f.ClientID, f.refusal())
	case "bye":
		v.quiet = time.Now().Add(time.Duration(f.ReconnectAfterMS) * time.Millisecond)
	default:
		return // hints and standing are nothing to wait for
	}
	v.changed()
}

// told notes that the stream has reached a seq.
func (v *visitor) told(f frame) {
	v.journal.heard = append(v.journal.heard, f)
	if f.Seq > v.cursor {
		v.cursor, v.news = f.Seq, time.Now()
	}
}

// read notes which lines an answer has read.
func (v *visitor) read(f frame) {
	now := time.Now()
	for l := range v.journal.readBy(f) {
		if l.answered.IsZero() {
			l.answered = now
			v.tally.reply(now.Sub(l.due))
		}
	}
}

// acknowledge takes a line out of the outbox. again says that it was said once more although an ack was there.
func (v *visitor) acknowledge(f frame, again bool) {
	l := v.journal.byID[f.ClientID]
	if l == nil {
		v.tally.fault("ack of nothing")
		return
	}
	l.acks = append(l.acks, ack{id: f.ID, seq: f.Seq, duplicate: f.Duplicate, again: again})
	if l.acked.IsZero() {
		l.acked = time.Now()
		v.news = l.acked
		v.tally.ack(l.acked.Sub(l.due))
		v.leave(l)
	}
}

// leave takes a line out of the outbox.
func (v *visitor) leave(l *line) {
	v.outbox = slices.DeleteFunc(v.outbox, func(waiting *line) bool { return waiting == l })
}

// refuse keeps a line for later, or gives it up if it will never be taken: then nothing else will be, so all the visitor owes
// is forgotten.
func (v *visitor) refuse(clientID string, no *refusal) {
	v.tally.fault(no.Code)
	l := v.journal.byID[clientID]
	if l == nil || !l.acked.IsZero() {
		return
	}
	l.refused = true
	if !no.passing() {
		l.dropped = true
		v.leave(l)
		v.owed, v.through = nil, true
		return
	}
	l.sentOn = refusedLast
	if until := time.Now().Add(v.tally.slowed(no, 1)); until.After(v.quiet) {
		v.quiet = until
		if no.Code != "unavailable" { // a limit passes; what is out of order may stay so
			v.limited = until
		}
	}
}

// spoken reports whether all that was owed is said and acknowledged.
func (v *visitor) spoken() bool { return v.through && len(v.owed) == 0 && len(v.outbox) == 0 }

// answered reports whether each acknowledged line has an answer.
func (v *visitor) answered() bool {
	for i := len(v.journal.lines) - 1; i >= 0; i-- {
		if l := v.journal.lines[i]; !l.acked.IsZero() && l.answered.IsZero() {
			return false
		}
	}
	return true
}

var errStalled = errors.New("bench: nothing happened for too long")

// await waits until cond, which is asked under the lock, holds. It fails when ctx ends, or when the server has said nothing new
// for patience beyond any silence that it asked for.
func (v *visitor) await(ctx context.Context, patience time.Duration, cond func() bool) error {
	since := time.Now()
	for {
		v.mu.Lock()
		ok, change := cond(), v.change
		for _, at := range []time.Time{v.news, v.limited} {
			if at.After(since) {
				since = at
			}
		}
		v.mu.Unlock()
		if ok {
			return nil
		}
		late := time.NewTimer(time.Until(since.Add(patience)))
		select {
		case <-change:
			late.Stop()
		case <-late.C:
			return errStalled
		case <-ctx.Done():
			late.Stop()
			return ctx.Err()
		}
	}
}
