package chat

import (
	"context"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Suggestion reads the draft that waits in a thread for a person's decision. It fails with NotFound if none does.
func (s *Service) Suggestion(ctx context.Context, org domain.OrgID, thread domain.ThreadID) (ledger.Suggestion, error) {
	d, err := s.ledger.Suggestion(ctx, org, thread)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return d, domain.NotFoundf("there is no draft in this conversation")
	}
	return d, err
}

// SendSuggestion sends the draft of a turn as it is. Of two people who do so at once one sends it. It fails like Reply, and with Conflict
// when that draft no longer waits: another one has come, or it was decided on.
func (s *Service) SendSuggestion(ctx context.Context, who domain.User, thread domain.ThreadID, turn domain.TurnID) (m domain.Message, duplicate bool, err error) {
	clientID := ledger.DraftClientID(turn)
	d, err := s.waiting(ctx, who, thread, turn)
	if err != nil {
		return m, false, err
	}
	return s.ReplyFrom(ctx, who, thread, clientID, d.Content, turn)
}

// Discard records that a person does not want the draft of a turn. It fails with Conflict when that draft no longer waits.
func (s *Service) Discard(ctx context.Context, who domain.User, thread domain.ThreadID, turn domain.TurnID) error {
	d, err := s.waiting(ctx, who, thread, turn)
	if err != nil {
		return err
	}
	_, err = s.teamDid(ctx, who, thread, ledger.Discard{User: who, Draft: d})
	return err
}

func (s *Service) waiting(ctx context.Context, who domain.User, thread domain.ThreadID, turn domain.TurnID) (ledger.Suggestion, error) {
	if _, err := s.ledger.Thread(ctx, who.OrgID, thread); err != nil {
		return ledger.Suggestion{}, err
	}
	d, err := s.ledger.Suggestion(ctx, who.OrgID, thread)
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return d, err
	}
	if err != nil || d.Turn != turn {
		return d, domain.Conflictf("this draft is no longer the one that waits")
	}
	return d, nil
}

// madeOf says what became of the draft that waits in a thread, now that a person sends a message; nil if none waits. It was used if it is
// the message, edited if the person says so (taken) or most of its words are in the message, and otherwise it is gone.
func (s *Service) madeOf(ctx context.Context, who domain.User, thread domain.ThreadID, sent string, taken domain.TurnID) (*ledger.Draft, error) {
	d, err := s.ledger.Suggestion(ctx, who.OrgID, thread)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	outcome := domain.SuggestionGone
	switch {
	case strings.TrimSpace(strings.ReplaceAll(sent, "\r\n", "\n")) == strings.TrimSpace(d.Content):
		outcome = domain.SuggestionUsed
	case taken == d.Turn || shared(d.Content, sent) >= 0.6:
		outcome = domain.SuggestionEdited
	}
	return &ledger.Draft{Suggestion: d, Outcome: outcome}, nil
}

// shared is the share of a draft's words that a text contains, from 0 to 1.
func shared(draft, text string) float64 {
	in := map[string]bool{}
	for w := range strings.FieldsSeq(strings.ToLower(text)) {
		in[w] = true
	}
	words, n := strings.Fields(strings.ToLower(draft)), 0
	for _, w := range words {
		if in[w] {
			n++
		}
	}
	return float64(n) / float64(max(1, len(words)))
}
