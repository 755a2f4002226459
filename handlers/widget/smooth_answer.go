package widget

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/handlers/dialect"
)

// ask stores a question and watches over its answer. The same question asked again, after a connection was lost, is answered with
// what came of it; a request id used again for other words is another question.
func (c *smoothTalk) ask(ctx, socket context.Context, cmd dialect.Ask) error {
	is, err := c.visit(ctx, socket, cmd.SessionID)
	if err != nil {
		return err
	}
	if q := is.underWay(); q != nil && q.id == cmd.RequestID {
		c.push(socket, dialect.Accepted{RequestID: q.id})
		return nil
	}
	_, err = is.begin(socket, cmd.RequestID, cmd.Stream, func() (domain.Message, error) {
		if err := c.s.flow.take(c.place.guest.address, is.visitor.Widget.Key); err != nil {
			return domain.Message{}, err
		}
		if err := c.askable(ctx, &is.visitor); err != nil {
			return domain.Message{}, err
		}
		sum := sha256.Sum256([]byte(cmd.RequestID + "\x00" + cmd.Content))
		m, _, err := c.s.chat.Ask(ctx, &is.visitor, hex.EncodeToString(sum[:20]), cmd.Content)
		return m, err
	}, dialect.Accepted{RequestID: cmd.RequestID})
	return err
}

// askable fails when neither an agent can be asked nor a person has the thread or is wanted in it.
func (c *smoothTalk) askable(ctx context.Context, v *chat.Visitor) (err error) {
	if v.Widget, err = c.s.find(ctx, c.r, v.Widget.Key); err != nil {
		return err
	}
	_, askable, err := c.s.chat.Answerer(ctx, v.Widget)
	if err != nil || askable {
		return err
	}
	if under, err := c.s.chat.UnderWay(ctx, v); err != nil || under { // which counts first
		return cmp.Or[error](err, errAnswering)
	}
	standing, _, err := c.s.chat.Since(ctx, v, 0, 0)
	if err != nil || standing.Handling == domain.HandlingHuman || standing.Handling == domain.HandlingWaiting {
		return err
	}
	return refused(dialect.SmoothLLMUnavailable, "no agent is there to answer")
}

// cancel ends the answer under way: to the question with this id or, when none of this connection is, in the session that is named.
func (c *smoothTalk) cancel(ctx, socket context.Context, cmd dialect.Cancel) (dialect.Event, error) {
	for _, is := range c.visits {
		q := is.underWay()
		if q == nil || cmd.RequestID != "" && q.id != cmd.RequestID || cmd.RequestID == "" && cmd.SessionID != "" && is.id != cmd.SessionID {
			continue
		}
		err := c.s.chat.CancelAnswer(ctx, &is.visitor, q.seq)
		is.look(socket, q) // what ends it is told before the next frame is read
		return nil, unlessOver(err)
	}
	if cmd.SessionID == "" {
		return nil, nil
	}
	is, err := c.visit(ctx, socket, cmd.SessionID)
	if err != nil || is.underWay() != nil {
		return nil, nil // somebody else's session, or another question: nothing of the client's to end
	}
	if err := c.s.chat.CancelAnswer(ctx, &is.visitor, 0); err != nil {
		return nil, unlessOver(err)
	}
	return dialect.Cancelled{RequestID: cmd.RequestID}, nil
}

// unlessOver is err, but nil when what was to be ended had ended already.
func unlessOver(err error) error {
	if err != nil && domain.KindOf(err) == domain.Conflict {
		return nil
	}
	return err
}

// smoothClosing says what came of a question.
func smoothClosing(q *question, a ledger.AnswerState) []dialect.Event {
	one := func(e dialect.Event) []dialect.Event { return []dialect.Event{e} }
	agents, others := split(a.Messages)
	escalated := a.Handoff != "" || a.Handling == domain.HandlingHuman || a.Handling == domain.HandlingWaiting
	switch {
	case a.Status == domain.DispatchSkipped && a.Skip == domain.SkipCancelled:
		return one(dialect.Cancelled{RequestID: q.id})
	case a.Status == domain.DispatchDead && len(agents) == 0:
		words := "the agent could not answer"
		if len(others) > 0 {
			words = others[0].Content
		}
		return one(dialect.Failure{ClientID: q.id, Name: dialect.SmoothAgentError, Message: words})
	case len(agents) == 0 && !escalated:
		return one(dialect.Failure{ClientID: q.id, Name: dialect.SmoothLLMUnavailable, Message: "no agent is there to answer"})
	}
	answer := dialect.Answer{RequestID: q.id, Question: q.message, Messages: agents, Escalated: escalated, Reason: a.Handoff}
	_ = json.Unmarshal(a.Usage, &answer.Usage) // it is left out when nobody counted
	if rest := untold(q, a, agents); rest != "" {
		return []dialect.Event{dialect.Token{RequestID: q.id, Content: rest}, answer}
	}
	return one(answer)
}

// smoothUnasked gives what somebody said of their own accord a request of its own.
func smoothUnasked(m domain.Message) []dialect.Event {
	return []dialect.Event{dialect.Answer{RequestID: uuid.NewString(), Messages: []domain.Message{m}}}
}

// split tells an agent's lines from those that were said in its stead.
func split(ms []domain.Message) (agents, others []domain.Message) {
	for _, m := range ms {
		if m.Author.Kind == domain.AuthorAgent {
			agents = append(agents, m)
		} else {
			others = append(others, m)
		}
	}
	return agents, others
}
