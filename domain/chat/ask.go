package chat

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// MaxQuestionChars bounds a question, in Unicode code points after trimming.
const MaxQuestionChars = 10000

// Ask records what a visitor wrote as a question that is to be answered before the next: it fails with Conflict (turn_in_progress)
// while the answer to an earlier one is under way. Otherwise it is as Say.
func (s *Service) Ask(ctx context.Context, v *Visitor, clientID, content string) (m domain.Message, duplicate bool, err error) {
	if err := mayWrite(v); err != nil {
		return m, false, err
	}
	if content, err = checkQuestion(content); err != nil {
		return m, false, err
	}
	out, err := s.ledger.Append(ctx, ledger.Append{OrgID: v.Session.OrgID, ThreadID: v.Thread.ID,
		Change: ledger.Question{Line: ledger.Line{SessionID: v.Session.ID, ClientID: clientID, Content: content}}})
	if err != nil {
		return m, false, err
	}
	return *out.Message, out.Duplicate, nil
}

// checkQuestion trims a question and refuses what nobody could answer.
func checkQuestion(content string) (string, error) {
	content = strings.TrimSpace(domain.Storable(content))
	switch n := utf8.RuneCountInString(content); {
	case n == 0:
		return "", &domain.Error{Kind: domain.Invalid, Code: domain.CodeEmptyContent, Msg: "write something first"}
	case n > MaxQuestionChars:
		return "", &domain.Error{Kind: domain.Invalid, Code: domain.CodeTooLong, Msg: "that is too long, please shorten it to 10000 characters"}
	}
	return content, nil
}

// AnswerTo reads what has come so far of the visitor's line with this seq.
func (s *Service) AnswerTo(ctx context.Context, v *Visitor, seq int64) (ledger.AnswerState, error) {
	return s.ledger.AnswerTo(ctx, v.Session.OrgID, v.Thread.ID, seq)
}

// UnderWay reports whether an answer to the visitor is being written, or is to be.
func (s *Service) UnderWay(ctx context.Context, v *Visitor) (bool, error) {
	seq, err := s.ledger.OpenTurn(ctx, v.Session.OrgID, v.Thread.ID)
	return seq > 0, err
}

// CancelAnswer ends the turn that answers the visitor's line with this seq, or any with 0. It fails with Conflict when none is
// under way.
func (s *Service) CancelAnswer(ctx context.Context, v *Visitor, seq int64) error {
	_, err := s.visitorDid(ctx, v, ledger.CancelTurn{Seq: seq})
	return err
}

// Answerer is the agent bound to a widget, and whether it may be asked; in the mode suggest it is, though it answers no visitor.
func (s *Service) Answerer(ctx context.Context, w domain.Widget) (a domain.Agent, askable bool, err error) {
	if w.AgentID == "" {
		return a, false, nil
	}
	a, err = s.ledger.Agent(ctx, w.OrgID, w.AgentID)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return a, false, nil
	}
	return a, err == nil && a.Enabled && w.WebchatEnabled, err
}
