package replay

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Mark makes a thread golden as it is now, with what is expected of its answers; marked again, it is golden as it is then. A note
// belongs to the answer to the line with its seq. It fails with Invalid if no agent has answered in the thread, and with NotFound.
func (s *Service) Mark(ctx context.Context, org domain.OrgID, thread domain.ThreadID, notes []domain.Expectation, by string) (domain.Golden, error) {
	tape, err := s.ledger.Tape(ctx, org, thread)
	if err != nil {
		return domain.Golden{}, unknown(err, "conversation")
	}
	kept := tape.Exchanges[:0]
	for _, x := range tape.Exchanges {
		if x.Turn != "" { // where no agent answered, none can answer worse
			kept = append(kept, x)
		}
	}
	if tape.Exchanges = kept; len(kept) == 0 {
		return domain.Golden{}, domain.InvalidField("thread", "has no agent's answer that could stay as it is")
	}
	if extra := len(kept) - MaxExchanges; extra > 0 {
		tape.Exchanges = kept[extra:]
	}
	if err := expect(tape.Exchanges, notes); err != nil {
		return domain.Golden{}, err
	}
	g := domain.Golden{ID: ledger.NewID[domain.GoldenID](), OrgID: org, ThreadID: thread, Tape: tape, MarkedBy: by}
	return g, s.ledger.MarkGolden(ctx, g)
}

func expect(xs []domain.Exchange, notes []domain.Expectation) error {
	for _, n := range notes {
		found := false
		text := strings.TrimSpace(n.Note)
		for i := range xs {
			if n.Seq >= xs[i].FromSeq && n.Seq <= xs[i].ToSeq {
				xs[i].Note, found = text, true
			}
		}
		switch {
		case !found && text != "":
			return domain.InvalidField("notes", "speak of a line that no agent has answered")
		case utf8.RuneCountInString(text) > domain.MaxNoteChars:
			return domain.InvalidField("notes", "are too long")
		}
	}
	return nil
}

// Unmark makes a golden thread an ordinary one. It fails with NotFound if it is none.
func (s *Service) Unmark(ctx context.Context, org domain.OrgID, thread domain.ThreadID) error {
	return unknown(s.ledger.UnmarkGolden(ctx, org, thread), "golden conversation")
}

// Golden reads what is golden of a thread. It fails with NotFound if nothing is.
func (s *Service) Golden(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (domain.Golden, error) {
	gs, err := s.ledger.Goldens(ctx, org, thread)
	if err != nil {
		return domain.Golden{}, err
	}
	if len(gs) == 0 {
		return domain.Golden{}, domain.NotFoundf("there is no such golden conversation")
	}
	return gs[len(gs)-1], nil
}

// Goldens lists an organisation's golden threads, and the last replay of each.
func (s *Service) Goldens(ctx context.Context, org domain.OrgID) ([]domain.Golden, map[domain.GoldenID]domain.Replay, error) {
	gs, err := s.ledger.Goldens(ctx, org, "")
	if err != nil {
		return nil, nil, err
	}
	last, err := s.ledger.GoldenReplays(ctx, org)
	return gs, last, err
}

// Tape is what a replay of a thread would be made of. It fails with NotFound.
func (s *Service) Tape(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (domain.Tape, error) {
	t, err := s.ledger.Tape(ctx, org, thread)
	return t, unknown(err, "conversation")
}
