package widget

import (
	"context"
	"sync"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/dialect"
)

// spoken joins what is said over one connection with what is told over it. A line said here is told as its ack, not as a
// message, and at its place: acks and messages together come in the order of their seqs, so that a client that takes the last
// seq it saw for its cursor loses nothing. Lines are said one at a time.
type spoken struct {
	session domain.SessionID

	mu       sync.Mutex
	told     int64                 // everything up to this seq is on the way to the client
	saying   string                // client id of the line that is being stored
	answered chan struct{}         // closed once that is done
	acks     map[int64]dialect.Ack // of lines stored here whose turn has not come
}

func newSpoken(id domain.SessionID, after int64) *spoken {
	return &spoken{session: id, told: after, acks: map[int64]dialect.Ack{}}
}

// say stores a line and sees to its ack: through push if its turn has come, else when told reaches it. A line that was there
// before is acknowledged at once, and told as a message like any other if the client has not got it yet.
func (s *spoken) say(clientID string, store func() (dialect.Ack, error), push func(dialect.Event)) error {
	s.mu.Lock()
	s.saying, s.answered = clientID, make(chan struct{})
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.saying = ""
		close(s.answered) // after the push: what follows the line must not overtake its ack
	}()
	ack, err := store()
	if err != nil {
		return err
	}
	if ack.Duplicate || s.turn(ack) {
		push(ack)
	}
	return nil
}

// turn reports whether everything before a new line is told. If not, its ack is kept.
func (s *spoken) turn(ack dialect.Ack) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ack.Seq > s.told+1 {
		s.acks[ack.Seq] = ack
		return false
	}
	s.told = max(s.told, ack.Seq) // a client may claim to have more than there is
	return true
}

// event is what to tell of a line; nil if it is told. The ledger may tell of a line before it answers whoever said it here: event
// waits for that answer.
func (s *spoken) event(ctx context.Context, m *domain.Message) dialect.Event {
	s.mu.Lock()
	saying, answered := s.saying, s.answered
	s.mu.Unlock()
	if m.SessionID == s.session && saying != "" && saying == m.ClientID {
		select {
		case <-answered:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Seq <= s.told {
		return nil
	}
	if ack, ok := s.acks[m.Seq]; ok {
		delete(s.acks, m.Seq)
		return ack
	}
	return dialect.Line{Message: *m}
}

// passed notes that what is to be told of a line is on its way.
func (s *spoken) passed(seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = max(s.told, seq)
}
