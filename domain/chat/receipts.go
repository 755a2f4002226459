package chat

import (
	"context"
	"sync"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

const (
	receiptsEvery = time.Second
	receiptsMost  = 10_000 // runs of lines held at once; what comes on top of that stays without a receipt
)

// receipts gathers which lines were written to whom, so that a second of them costs one statement and a message none. They are hints:
// those of the last second are lost with the process.
type receipts struct {
	mu   sync.Mutex
	runs map[receiptKey]*run
}

type receiptKey struct {
	org       domain.OrgID
	thread    domain.ThreadID
	transport string
}

type run struct {
	from, to int64
	begun    time.Time
}

// Delivered notes that a line was written to its contact over a transport. It never blocks. The contact's own lines do not count.
func (s *Service) Delivered(m domain.Message, transport string) {
	if m.Direction != domain.Outbound {
		return
	}
	s.receipts.mu.Lock()
	defer s.receipts.mu.Unlock()
	k := receiptKey{m.OrgID, m.ThreadID, transport}
	if r, ok := s.receipts.runs[k]; ok {
		r.from, r.to = min(r.from, m.Seq), max(r.to, m.Seq)
	} else if len(s.receipts.runs) < receiptsMost {
		s.receipts.runs[k] = &run{m.Seq, m.Seq, time.Now()}
	}
}

// Run stores receipts once a second until ctx ends, and what is left then; and it takes back that somebody writes who has not said so for
// long.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(receiptsEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), receiptsEvery)
			defer cancel()
			s.storeReceipts(last)
			return nil
		case <-tick.C:
			s.storeReceipts(ctx)
			s.layPens(time.Now())
		}
	}
}

// storeReceipts lets go of receipts that the database does not take: the next time the line is read there is another.
func (s *Service) storeReceipts(ctx context.Context) {
	s.receipts.mu.Lock()
	runs := s.receipts.runs
	s.receipts.runs = map[receiptKey]*run{}
	s.receipts.mu.Unlock()
	if len(runs) == 0 {
		return
	}
	rs := make([]ledger.Receipt, 0, len(runs))
	for k, r := range runs {
		rs = append(rs, ledger.Receipt{OrgID: k.org, ThreadID: k.thread, Transport: k.transport, From: r.from, To: r.to, Age: time.Since(r.begun)})
	}
	if err := s.ledger.PutReceipts(ctx, rs); err != nil {
		s.log.DebugContext(ctx, "receipts were not stored", "err", err)
	}
}
