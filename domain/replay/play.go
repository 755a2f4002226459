package replay

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
)

const (
	turnLimit    = 5 * time.Minute // for one answer, whatever its runtime allows
	historyLines = 60              // of the thread that an agent sees, as in a real turn
)

// player is a replay in progress.
type player struct {
	*Service
	c     ledger.ReplayClaim
	agent domain.Agent
	judge *judge
}

// play answers what is left to answer. It returns why it could not go on; empty if it came to the end.
func (s *Service) play(ctx context.Context, c ledger.ReplayClaim) (problem string) {
	if c.Attempt > ledger.ReplayAttempts {
		return "the server stopped during every attempt"
	}
	p := &player{Service: s, c: c}
	a, err := s.ledger.Agent(ctx, c.OrgID, c.AgentID)
	if err == nil {
		p.agent, err = c.Override.Over(a)
	}
	if err != nil {
		return "the agent is gone, or its settings do not fit any more"
	}
	if c.JudgeID != "" {
		if p.judge, err = s.newJudge(ctx, c); err != nil {
			return "the judge is gone, or its settings do not fit any more"
		}
	}
	for n, x := range c.Tape.Exchanges {
		if n < len(p.c.Turns) { // an earlier worker has come so far
			continue
		}
		t, err := p.turn(ctx, n, x)
		if err != nil {
			return explain(err)
		}
		if err := p.store(ctx, t); err != nil {
			return "an answer could not be stored"
		}
		p.c.Turns = append(p.c.Turns, t)
	}
	return ""
}

// store waits out a database that is away: an answer somebody paid for is not thrown away for a hiccup.
func (p *player) store(ctx context.Context, t domain.ReplayTurn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	for {
		err := p.ledger.AddReplayTurn(ctx, p.c, t)
		if domain.KindOf(err) != domain.Unavailable || err == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// turn lets the agent answer one exchange again and compares. An answer that does not come off is a result; an error means that
// going on makes no sense.
func (p *player) turn(ctx context.Context, n int, x domain.Exchange) (domain.ReplayTurn, error) {
	t := domain.ReplayTurn{N: n, FromSeq: x.FromSeq, ToSeq: x.ToSeq, Asked: p.c.Tape.Asked(x), Then: x.Then, Note: x.Note}
	ports := &ports{x: x, knowledge: p.ledger}
	rt, err := p.o.Voice(p.agent, agent.Deps{Knowledge: ports, Contacts: ports, Lend: ports.lend, Purse: p.ledger, Outbound: p.o.Outbound, Log: p.o.Log})
	if err != nil {
		return t, err
	}
	sink := &sink{}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	res, err := agent.Ask(limited, p.o.Log, rt, p.request(n, x), sink)
	if ctx.Err() != nil {
		return t, context.Cause(ctx)
	}
	t.MS = float64(time.Since(began).Microseconds()) / 1000
	t.PromptTokens, t.CompletionTokens, t.CostUSD = res.Usage.PromptTokens, res.Usage.CompletionTokens, res.Usage.CostUSD
	t.Recorded, t.Live, t.Withheld = ports.recorded, ports.live, ports.withheld
	if f, ok := errors.AsType[*agent.Failure](err); ok && f.Skip != "" {
		return t, err // there is no money left: not for the next one either
	}
	t.Now = sink.answer(res)
	switch {
	case err != nil:
		t.Outcome, t.Error = domain.AnswerFailed, explain(err)
	case t.Now.Text() == "" && t.Now.Handoff == "":
		t.Outcome, t.Error = domain.AnswerFailed, "gave no answer"
	case x.Turn == "":
		t.Outcome = domain.AnswerNew
	case t.Then.Same(t.Now):
		t.Outcome = domain.AnswerSame
	default:
		t.Outcome = domain.AnswerChanged
		if p.judge != nil {
			return p.judge.judged(ctx, t)
		}
	}
	return t, nil
}

// explain is what may be shown of a failure.
func explain(err error) string {
	if f, ok := errors.AsType[*agent.Failure](err); ok {
		return f.Reason
	}
	return "something went wrong on our side"
}

// request is the turn as the agent was given it then, under names of its own: whoever acts on a thread, a contact or a session that a
// request names finds none, and what is spent comes out of no visitor's budget. An agent elsewhere can do as it likes, so it does not
// learn where the contact can be reached.
func (p *player) request(n int, x domain.Exchange) agent.TurnRequest {
	t := p.c.Tape
	itself := domain.ThreadID(p.c.ID)
	b := ledger.Briefing{
		Channel: t.Channel, WidgetID: t.WidgetID, Agent: p.agent, Page: t.Page, Locale: t.Locale, Timezone: t.Timezone,
		Contact:  domain.Contact{ID: domain.ContactID(p.c.ID), Name: t.Contact.Name, Email: t.Contact.Email, Phone: t.Contact.Phone},
		Messages: p.history(n, x),
	}
	if p.agent.Kind != domain.AgentBuiltin && p.agent.Kind != domain.AgentOpenAI {
		b.Contact.Email, b.Contact.Phone = "", ""
	}
	claim := ledger.Claim{TurnRef: ledger.TurnRef{Turn: ledger.NewID[domain.TurnID](), ToSeq: x.ToSeq, Agent: p.agent.ID, AgentName: p.agent.Name},
		OrgID: p.c.OrgID, ThreadID: itself, FromSeq: x.FromSeq}
	r := dispatch.Request(claim, b, p.o.PublicURL)
	r.Replay = true
	return r
}

// history is what had been said when the exchange began; with drift, the answers before it are those of the replay.
func (p *player) history(n int, x domain.Exchange) []domain.Message {
	now := map[domain.TurnID]string{} // what takes the place of a turn's lines, and nothing once it has
	for i, before := range p.c.Tape.Exchanges[:n] {
		if p.c.Drift && before.Turn != "" {
			now[before.Turn] = p.c.Turns[i].Now.Text()
		}
	}
	var lines []domain.Message
	for _, m := range p.c.Tape.Lines {
		if m.Seq > x.ToSeq {
			break
		}
		m.ID = ledger.NewID[domain.MessageID]()
		if text, replaced := now[m.TurnID]; replaced && m.Author.Kind == domain.AuthorAgent {
			now[m.TurnID] = ""
			if text == "" {
				continue
			}
			m.Content, m.Citations, m.Author.Name = text, nil, p.agent.Name
		}
		lines = append(lines, m)
	}
	pending := slices.IndexFunc(lines, func(m domain.Message) bool { return m.Seq >= x.FromSeq })
	return lines[max(0, min(len(lines)-historyLines, pending)):]
}
