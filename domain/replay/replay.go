// Package replay answers recorded threads again, to see what would be said now: with another agent, with other instructions, or after
// anything else has changed. It must never append to a thread, hint at anything over the relay, or let an agent do what lasts: it has
// no relay, and its agents get ports that only look things up or only pretend.
package replay

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
)

// Options of a Service; the zero value of a field means its default.
type Options struct {
	Voice     func(domain.Agent, agent.Deps) (agent.Runtime, error) // how agents get their voice (agent.New)
	Outbound  *agent.Outbound                                       // how they reach others; nil = a strict guard
	PublicURL string                                                // where agents find this server, for the files that visitors sent
	Lease     time.Duration                                         // how long a replay stays a worker's without a sign of life (15 s)
	Log       *slog.Logger
}

// Service takes orders for replays and, with Run, makes them. It is safe for concurrent use.
type Service struct {
	ledger *ledger.Ledger
	o      Options
	asked  chan struct{} // there is something to do
}

// New makes a service on a ledger. Whatever its agents spend comes out of their organisation's budgets.
func New(l *ledger.Ledger, o Options) *Service {
	if o.Voice == nil {
		o.Voice = agent.New
	}
	if o.Lease == 0 {
		o.Lease = 15 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{ledger: l, o: o, asked: make(chan struct{}, 1)}
}

// Order is what is to be answered again, and by whom.
type Order struct {
	OrgID    domain.OrgID
	AgentID  domain.AgentID // empty: the agent that answered last, or else the one that is to
	Override domain.Override
	JudgeID  domain.AgentID // empty: nobody judges changed answers
	Drift    bool           // later turns see what was said now, not what was said then
	By       string         // who asked for it
}

// MaxExchanges bounds a replay, MaxInstructions the instructions it may be made with, in characters.
const (
	MaxExchanges    = 200
	MaxInstructions = 20_000
)

// Ask orders a replay of a thread. It fails with Invalid, field by field, if there is nothing to answer again or nobody to do it,
// and with NotFound for a thread of another organisation.
func (s *Service) Ask(ctx context.Context, thread domain.ThreadID, o Order) (domain.Replay, error) {
	tape, err := s.ledger.Tape(ctx, o.OrgID, thread)
	if err != nil {
		return domain.Replay{}, unknown(err, "conversation")
	}
	if len(tape.Exchanges) == 0 {
		return domain.Replay{}, domain.InvalidField("thread", "has no visitor's line to answer")
	}
	if extra := len(tape.Exchanges) - MaxExchanges; extra > 0 {
		tape.Exchanges = tape.Exchanges[extra:]
	}
	r, err := s.order(ctx, o, tape)
	if err != nil {
		return domain.Replay{}, err
	}
	r.ThreadID = thread
	return r, s.queue(ctx, r, tape)
}

// AskGolden orders a replay of every golden thread of an organisation, of one agent's answers or of those that each has had last.
func (s *Service) AskGolden(ctx context.Context, o Order) ([]domain.Replay, error) {
	goldens, err := s.ledger.Goldens(ctx, o.OrgID, "")
	if err != nil {
		return nil, err
	}
	rs := make([]domain.Replay, len(goldens))
	for i, g := range goldens { // all or none: what cannot be ordered is found before anything is
		if rs[i], err = s.order(ctx, o, g.Tape); err != nil {
			return nil, err
		}
		rs[i].ThreadID, rs[i].GoldenID = g.ThreadID, g.ID
	}
	for i, g := range goldens {
		if err := s.queue(ctx, rs[i], g.Tape); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// order checks an order and fills in what it leaves open.
func (s *Service) order(ctx context.Context, o Order, t domain.Tape) (domain.Replay, error) {
	for i := len(t.Exchanges) - 1; i >= 0 && o.AgentID == ""; i-- {
		o.AgentID = t.Exchanges[i].Agent
	}
	o.AgentID = cmp.Or(o.AgentID, t.Bound)
	if o.AgentID == "" {
		return domain.Replay{}, domain.InvalidField("agent_id", "is needed: no agent is to answer here")
	}
	a, err := s.named(ctx, o.OrgID, "agent_id", o.AgentID)
	if err != nil {
		return domain.Replay{}, err
	}
	if i := o.Override.Instructions; i != nil && utf8.RuneCountInString(*i) > MaxInstructions {
		return domain.Replay{}, domain.InvalidField("instructions", "are too long")
	}
	if _, err := o.Override.Over(a); err != nil {
		return domain.Replay{}, renamed(err)
	}
	if o.JudgeID != "" {
		if _, err := s.named(ctx, o.OrgID, "judge_agent_id", o.JudgeID); err != nil {
			return domain.Replay{}, err
		}
	}
	return domain.Replay{
		ID: ledger.NewID[domain.ReplayID](), OrgID: o.OrgID, AgentID: a.ID, AgentName: a.Name, JudgeID: o.JudgeID, Override: o.Override,
		Drift: o.Drift, AskedBy: o.By, Status: domain.ReplayQueued, Answers: len(t.Exchanges), CreatedAt: time.Now().UTC(),
	}, nil
}

// named reads an agent that a field names.
func (s *Service) named(ctx context.Context, org domain.OrgID, field string, id domain.AgentID) (domain.Agent, error) {
	if _, err := domain.ParseID[domain.AgentID](string(id)); err != nil {
		return domain.Agent{}, domain.InvalidField(field, "is not an id")
	}
	a, err := s.ledger.Agent(ctx, org, id)
	if domain.KindOf(err) == domain.NotFound && err != nil {
		err = domain.InvalidField(field, "names no agent that there is")
	}
	return a, err
}

// renamed calls the fields of an agent's config what a replay calls them.
func renamed(err error) error {
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Fields == nil {
		return err
	}
	fields := map[string]string{}
	for field, problem := range e.Fields {
		field = strings.TrimPrefix(field, "config.")
		if field == "system_prompt" {
			field = "instructions"
		}
		fields[field] = problem
	}
	return &domain.Error{Kind: e.Kind, Code: e.Code, Msg: e.Msg, Fields: fields}
}

func (s *Service) queue(ctx context.Context, r domain.Replay, t domain.Tape) error {
	if err := s.ledger.QueueReplay(ctx, r, t); err != nil {
		return err
	}
	select {
	case s.asked <- struct{}{}:
	default: // it was told already
	}
	return nil
}

// Replay reads a replay with its answers so far. It fails with NotFound, for another organisation's too.
func (s *Service) Replay(ctx context.Context, org domain.OrgID, id domain.ReplayID) (domain.Replay, error) {
	return s.ledger.Replay(ctx, org, id)
}

// Replays lists the latest replays of a thread, the newest first.
func (s *Service) Replays(ctx context.Context, org domain.OrgID, thread domain.ThreadID) ([]domain.Replay, error) {
	return s.ledger.Replays(ctx, org, thread, 20)
}

func unknown(err error, noun string) error {
	if domain.KindOf(err) == domain.NotFound {
		return domain.NotFoundf("there is no such %s", noun)
	}
	return err
}
