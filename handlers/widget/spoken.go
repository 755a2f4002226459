package widget

import (
	"context"
	"sync"

	"github.com/parley-chat/parley/domain"
)

// spoken remembers what was said over one connection: its client knows those lines from their acks and does not want them as
// messages. Lines are said one at a time. A line that was there before, said again, is not spoken here.
type spoken struct {
	session domain.SessionID

	mu       sync.Mutex
	saying   string        // client id of the line that is being stored
	answered chan struct{} // closed once its ack is on the way
	seqs     map[int64]struct{}
}

func newSpoken(id domain.SessionID) *spoken {
	return &spoken{session: id, seqs: map[int64]struct{}{}}
}

// begin is called before a line is handed to the ledger.
func (s *spoken) begin(clientID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saying, s.answered = clientID, make(chan struct{})
}

// end is called once the answer is on its way to the client: with the seq of a line newly stored, else with 0.
func (s *spoken) end(seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq > 0 {
		s.seqs[seq] = struct{}{}
	}
	close(s.answered)
	s.saying = ""
}

// here reports whether a line was said over this connection. The ledger may tell of a line before it answers whoever said it;
// here then waits for that answer, which also keeps what follows the line from overtaking its ack.
func (s *spoken) here(ctx context.Context, m *domain.Message) bool {
	if m.SessionID != s.session {
		return false
	}
	s.mu.Lock()
	saying, answered := s.saying, s.answered
	s.mu.Unlock()
	if saying != "" && saying == m.ClientID {
		select {
		case <-answered:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, mine := s.seqs[m.Seq]
	delete(s.seqs, m.Seq)
	return mine
}
