package dispatch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
)

const (
	historyLines = 60              // of the thread that an agent sees
	turnLimit    = 5 * time.Minute // for a whole turn, whatever its runtime allows
	storeFor     = time.Minute     // how long to go on trying to store what a turn has produced
	storePause   = 250 * time.Millisecond
	retryFirst   = time.Second // full jitter, doubling to retryMost
	retryMost    = 10 * time.Second
)

// turn gives one claim its turn and appends what came of it.
func (d *Dispatcher) turn(ctx context.Context, c ledger.Claim) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer d.leases.hold(c.TurnRef, end)()
	d.ledger.GiveWay(ctx)
	log := d.o.Log.With("turn", c.Turn, "thread", c.ThreadID, "agent", c.Agent)

	t := &turn{d: d, c: c, begun: time.Now()}
	change := t.run(ctx)
	if fail, ok := change.(ledger.TurnFail); ok && t.blamed {
		if fail.Away = d.circuits.failed(ctx, c, fail.Reason); fail.Away {
			fail.RetryIn = t.notBefore // the circuit says when
		}
		change = fail
	}
	if _, err := d.store(ctx, c, change); err != nil {
		log.ErrorContext(ctx, "could not store a turn's end; it comes due again when its lease runs out", "err", err)
	}
	t.typing(false)
	d.texts.keep(ctx, d, c.OrgID, t.found)
	if _, ok := change.(ledger.TurnEnd); ok && t.asked {
		d.circuits.answered(ctx, c)
	}
	outcome, reason := "done", ""
	switch change := change.(type) {
	case ledger.TurnFail:
		outcome, reason = "failed", change.Reason
		log.WarnContext(ctx, "turn failed", "attempt", c.Attempt, "reason", change.Reason)
	case ledger.TurnRelease:
		outcome = "released"
		if change.Why == stopped {
			outcome = "stopped"
		}
	case ledger.TurnSkip:
		outcome = "skipped"
	}
	for _, hear := range d.ended {
		hear(Ended{
			Outcome: outcome, Reason: reason, Begun: t.begun, Took: time.Since(t.begun),
			Turn: c.Turn, Thread: c.ThreadID, Agent: c.Agent, Attempt: c.Attempt, Steps: t.all,
		})
	}
}

// turn is a turn in progress. It is the runtime's sink.
type turn struct {
	d      *Dispatcher
	c      ledger.Claim
	begun  time.Time
	steps  []timedStep  // that are not stored yet
	all    []agent.Step // that it has made
	said   int          // replies handed in
	deltas int

	kind   domain.AgentKind     // of the agent, once it is known; likewise the others
	quiet  bool                 // what it writes is for the team: nobody else hears of it
	there  bool                 // whoever reads it reads it in a Chatwoot
	keep   domain.RecordContent // of what its model was asked and said
	found  *agent.Retrieval
	asked  bool // the agent was asked
	blamed bool // it failed, and that was its own doing

	notBefore time.Duration // it asked not to be tried again before
}

type timedStep struct {
	at time.Time
	agent.Step
}

// run lets the agent answer and returns how the turn ended.
func (t *turn) run(ctx context.Context) ledger.Change {
	ref := t.c.TurnRef
	if t.c.AnsweredTo > 0 { // an earlier turn has answered and died before it could say so: nothing is said twice
		ref.ToSeq = t.c.AnsweredTo
		return ledger.TurnEnd{TurnRef: ref}
	}
	if t.c.Attempt > t.c.MaxAttempts {
		return t.failed(&agent.Failure{Reason: "the server stopped during every attempt", Permanent: true, Err: errOurs}, agent.Usage{})
	}
	b, err := t.d.ledger.Brief(ctx, t.c, historyLines)
	if err != nil {
		return t.ended(ctx, agent.Result{}, &agent.Failure{Reason: "the conversation could not be read", Err: errors.Join(errOurs, err)})
	}
	if b.Skip != "" {
		return ledger.TurnSkip{TurnRef: ref, Reason: b.Skip}
	}
	voice, err := t.d.voice(b.Agent)
	if err != nil {
		return t.failed(&agent.Failure{Reason: "the agent's configuration is not usable", Permanent: true, Err: err}, agent.Usage{})
	}
	t.kind, t.quiet, t.keep, t.there = b.Agent.Kind, b.Agent.SendMode == domain.Suggest, b.RecordContent, b.Conversation != ""
	t.typing(true)
	t.asked = true
	limited, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	limited, t.found = agent.Retrieving(limited)
	res, err := agent.Ask(limited, t.d.o.Log, voice, request(t.c, b, t.d.o.PublicURL), t)
	return t.ended(ctx, res, err)
}

// ended turns what the runtime returned into what the ledger is told.
func (t *turn) ended(ctx context.Context, res agent.Result, err error) ledger.Change {
	switch {
	case err != nil && errors.Is(context.Cause(ctx), errShutdown):
		return ledger.TurnRelease{TurnRef: t.c.TurnRef, Steps: t.taken()}
	case err != nil && errors.Is(context.Cause(ctx), errStopped):
		return ledger.TurnRelease{TurnRef: t.c.TurnRef, Why: stopped, Steps: t.taken()}
	case err != nil && errors.Is(context.Cause(ctx), errTaken):
		err = &agent.Failure{Reason: "stopped, because the conversation had changed hands", Err: errors.Join(errTaken, err)}
	case err == nil && res.Reply == nil && res.Handoff == nil && t.said == 0:
		err = &agent.Failure{Reason: "gave no answer"}
	}
	if f, ok := errors.AsType[*agent.Failure](err); ok && f.Skip != "" && t.said == 0 {
		return ledger.TurnSkip{TurnRef: t.c.TurnRef, Reason: f.Skip}
	}
	if err != nil {
		return t.failed(err, res.Usage)
	}
	end := ledger.TurnEnd{TurnRef: t.c.TurnRef, Usage: encode(res.Usage), Steps: t.taken()}
	if res.Reply != nil {
		said := t.say(*res.Reply)
		end.Said = &said
	}
	if res.Handoff != nil {
		end.Handoff = cmp.Or(res.Handoff.Reason, "the agent asked for a person")
	}
	return end
}

func (t *turn) failed(err error, usage agent.Usage) ledger.Change {
	f, ok := errors.AsType[*agent.Failure](err)
	if !ok {
		f = &agent.Failure{Reason: "the turn failed", Err: err}
	}
	t.d.o.Log.Debug("turn failed", "turn", t.c.Turn, "err", err)
	t.blamed, t.notBefore = blames(f), f.RetryAfter
	return ledger.TurnFail{TurnRef: t.c.TurnRef, Reason: f.Reason, Final: f.Permanent, Fault: f.Fault, RetryIn: max(backoff(t.c.Attempt), f.RetryAfter), Usage: encode(usage), Steps: t.taken()}
}

// stopped is what the record says of a turn that was ended because nobody waited for its answer.
const stopped = "stopped, because the answer was not wanted any more"

func backoff(attempt int) time.Duration {
	return rand.N(min(retryFirst<<max(0, min(attempt-1, 10)), retryMost))
}

// Reply stores and delivers a message while the turn goes on.
func (t *turn) Reply(ctx context.Context, r agent.Reply) error {
	out, err := t.d.store(ctx, t.c, ledger.TurnReply{TurnRef: t.c.TurnRef, Said: t.say(r), Steps: t.taken()})
	switch {
	case err != nil:
		return &agent.Failure{Reason: "the answer could not be stored", Err: errors.Join(errOurs, err)}
	case out.Suppressed:
		return &agent.Failure{Reason: "stopped, because the conversation had changed hands", Err: errTaken}
	}
	t.typing(true) // the message has switched it off
	return nil
}

// Step records what the turn did. A search is recorded with the passages that it has found.
func (t *turn) Step(s agent.Step) {
	if _, told := s.Detail["passages"]; s.Kind == domain.ToolResult && s.Detail["name"] == searchTool && !told && t.found != nil {
		s.Detail = maps.Clone(s.Detail)
		ps, asked, understood := t.found.Latest()
		s.Detail["passages"] = ps
		if understood != "" {
			s.Detail["query"], s.Detail["understood"] = asked, understood
		}
	}
	t.steps, t.all = append(t.steps, timedStep{t.begun.Add(s.After), s}), append(t.all, s)
	t.show(s)
}

// searchTool is what every runtime calls the search in the knowledge.
const searchTool = "search_knowledge"

// taken are the steps since it was last called.
func (t *turn) taken() []ledger.Step {
	now := time.Now()
	steps := make([]ledger.Step, len(t.steps))
	for i, s := range t.steps {
		steps[i] = ledger.Step{Kind: s.Kind, At: max(0, now.Sub(s.at)), Detail: domain.StripStep(s.Kind, s.Detail, t.keep)}
	}
	t.steps = nil
	return steps
}

func (t *turn) say(r agent.Reply) ledger.Said {
	r = r.Harmless()
	t.said++
	said := ledger.Said{N: t.said, Content: r.Content, ContentType: cmp.Or(r.ContentType, domain.Text)}
	said.Citations, said.Unfounded = t.vouch(r.Citations)
	return said
}

// vouch lets only citations through that stand for something: an article that a search of this very turn has found. What an agent
// outside this program names is its own affair, and marked so.
func (t *turn) vouch(cs []domain.Citation) (good, bad []domain.Citation) {
	if t.kind != domain.AgentWebSocket && t.kind != domain.AgentHTTP {
		return t.found.Vouch(cs)
	}
	for _, c := range cs {
		c.External = true
		good = append(good, c)
	}
	return good, nil
}

func (t *turn) author() domain.Author {
	return domain.Author{Kind: domain.AuthorAgent, Name: t.c.AgentName}
}

func (t *turn) typing(on bool) {
	if t.quiet {
		return
	}
	if t.d.o.Typing != nil && (t.there || t.kind == "") { // before the agent is known nor is the place: one that died may have left it on
		t.d.o.Typing(t.c.OrgID, t.c.ThreadID, on)
	}
	t.d.relay.Hint(relay.Hint{Thread: t.c.ThreadID, Kind: relay.Typing, On: on, Author: t.author()})
}

// store appends, waiting out a database that is away: an answer somebody paid for is not thrown away for a hiccup. Sending the
// same again is safe, because token, epoch and N decide what counts.
func (d *Dispatcher) store(ctx context.Context, c ledger.Claim, change ledger.Change) (ledger.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeFor)
	defer cancel()
	for {
		out, err := d.ledger.Append(ctx, ledger.Append{OrgID: c.OrgID, ThreadID: c.ThreadID, Change: change})
		if err == nil || domain.KindOf(err) != domain.Unavailable {
			return out, err
		}
		select {
		case <-time.After(storePause):
		case <-ctx.Done():
			return out, err
		}
	}
}

func encode(u agent.Usage) json.RawMessage {
	if u == (agent.Usage{}) {
		return nil
	}
	b, err := json.Marshal(u)
	if err != nil { // a cost that is not a number
		return json.RawMessage(fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d}`, u.PromptTokens, u.CompletionTokens))
	}
	return b
}
