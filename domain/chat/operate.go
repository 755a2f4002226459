package chat

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger"
)

// Operator is a person or program of an organisation that talks to an agent itself. It gets no more rights in a turn by that.
type Operator struct {
	OrgID      domain.OrgID
	ExternalID string // what its contact goes by; nobody outside can prove to be it
	Name       string
}

// Operates finds or begins the session of this name in which an operator talks to an agent: one named by its id or name, else the
// organisation's first. Sessions are the organisation's: whoever operates for it may go on with any. An empty id begins a new one.
// It fails with NotFound when there is no such agent.
func (s *Service) Operates(ctx context.Context, o Operator, id, agent, title string) (session string, t domain.Thread, err error) {
	if id = lead.Cut(id, 128); id == "" {
		id = uuid.NewString()
	}
	t, err = s.ledger.OperatorThread(ctx, ledger.Operation{
		OrgID: o.OrgID, External: o.ExternalID, Name: lead.Cut(o.Name, 200), Session: id, Agent: strings.TrimSpace(agent), Title: lead.Cut(title, 200),
	})
	return id, t, err
}

// OperatorAsks records an operator's question. It fails as Ask does.
func (s *Service) OperatorAsks(ctx context.Context, t domain.Thread, content string) (domain.Message, error) {
	content, err := checkQuestion(content)
	if err != nil {
		return domain.Message{}, err
	}
	out, err := s.ledger.Append(ctx, ledger.Append{OrgID: t.OrgID, ThreadID: t.ID,
		Change: ledger.Question{Line: ledger.Line{ClientID: uuid.NewString(), Content: content}, Again: true}})
	if err != nil {
		return domain.Message{}, err
	}
	return *out.Message, nil
}

// AnswerIn reads what has come so far of the line with this seq in an organisation's thread.
func (s *Service) AnswerIn(ctx context.Context, t domain.Thread, seq int64) (ledger.AnswerState, error) {
	return s.ledger.AnswerTo(ctx, t.OrgID, t.ID, seq)
}

// OpenTurn says which line the turn under way in a thread began with; 0 = none is under way.
func (s *Service) OpenTurn(ctx context.Context, t domain.Thread) (int64, error) {
	return s.ledger.OpenTurn(ctx, t.OrgID, t.ID)
}

// OperatorSessions lists the sessions of an organisation's operators, the latest used first.
func (s *Service) OperatorSessions(ctx context.Context, org domain.OrgID) ([]ledger.OperatorSession, error) {
	return s.ledger.OperatorSessions(ctx, org, "")
}

// OperatorSession reads one of them. It fails with NotFound.
func (s *Service) OperatorSession(ctx context.Context, org domain.OrgID, id string) (ledger.OperatorSession, error) {
	all, err := s.ledger.OperatorSessions(ctx, org, id)
	if err == nil && len(all) == 0 {
		err = domain.NotFoundf("there is no such session")
	}
	if err != nil {
		return ledger.OperatorSession{}, err
	}
	return all[0], nil
}

// OperatorMessages reads the latest lines of a session, oldest first.
func (s *Service) OperatorMessages(ctx context.Context, t domain.Thread) ([]domain.Message, error) {
	return s.ledger.MessagesBefore(ctx, t.OrgID, t.ID, 1<<62, 1000)
}

// NameOperatorSession gives a session a name. It fails with NotFound.
func (s *Service) NameOperatorSession(ctx context.Context, org domain.OrgID, id, name string) error {
	return s.ledger.NameOperatorSession(ctx, org, id, lead.Cut(name, 200))
}

// DeleteOperatorSession removes a session with all that was said in it; a turn under way is stopped. It fails with NotFound.
func (s *Service) DeleteOperatorSession(ctx context.Context, org domain.OrgID, id string) error {
	t, err := s.OperatorSession(ctx, org, id)
	if err != nil {
		return err
	}
	_, err = s.ledger.Append(ctx, ledger.Append{OrgID: org, ThreadID: t.ID, Change: ledger.CancelTurn{}})
	if err != nil && domain.KindOf(err) != domain.Conflict {
		return err
	}
	return s.ledger.DeleteOperatorSession(ctx, org, id)
}
