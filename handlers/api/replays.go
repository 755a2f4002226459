package api

import (
	"context"
	"net/http"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/replay"
)

// Replay is a thread answered again.
type Replay struct {
	ID           string           `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ThreadID     string           `json:"thread_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Golden       bool             `json:"golden" doc:"It is of a golden thread, as that was when it was marked."`
	AgentID      *string          `json:"agent_id" format:"uuid" nullable:"true" doc:"Who answers; null: it is gone."`
	AgentName    string           `json:"agent_name" example:"Ada"`
	JudgeAgentID *string          `json:"judge_agent_id" format:"uuid" nullable:"true"`
	Drift        bool             `json:"drift"`
	Overridden   domain.Override  `json:"overridden" doc:"What of the agent's settings is another one here."`
	Status       string           `json:"status" enum:"queued,running,done,failed" doc:"failed: it could not go on; the answers it had found are kept." example:"done"`
	Error        string           `json:"error,omitempty" example:""`
	Total        int              `json:"total" doc:"How many answers there are to be." example:"1"`
	Summary      domain.ReplaySum `json:"summary" doc:"Of the answers so far. regressions: those that failed, and those that changed and that no judge found equivalent."`
	Answers      []ReplayAnswer   `json:"answers" doc:"Those so far, in order."`
	CreatedAt    Time             `json:"created_at"`
	FinishedAt   *Time            `json:"finished_at" nullable:"true"`
}

// ReplayAnswer is one answer, then and now.
type ReplayAnswer struct {
	FromSeq          int64         `json:"from_seq" example:"1"`
	ToSeq            int64         `json:"to_seq" doc:"It answers the contact's lines from from_seq up to here." example:"1"`
	Asked            string        `json:"asked" example:"How long does delivery take?"`
	Then             domain.Answer `json:"then" doc:"What was said; by is human where a person said it."`
	Now              domain.Answer `json:"now" doc:"What would be said."`
	Outcome          string        `json:"outcome" enum:"same,changed,failed,new" doc:"new: no agent had answered, so there is nothing to compare with." example:"changed"`
	Regressed        bool          `json:"regressed" example:"true"`
	Error            string        `json:"error,omitempty" example:""`
	Note             string        `json:"note,omitempty" doc:"What was expected." example:"Names the number of days."`
	Verdict          string        `json:"verdict,omitempty" enum:"equivalent,different,unclear" doc:"The judge's. unclear: it did not answer as it was asked to." example:"different"`
	Reason           string        `json:"reason,omitempty" example:"It names another number of days."`
	MS               float64       `json:"ms" example:"412.5"`
	PromptTokens     int           `json:"prompt_tokens" example:"512"`
	CompletionTokens int           `json:"completion_tokens" example:"40"`
	CostUSD          float64       `json:"cost_usd" example:"0.0004"`
	Recorded         int           `json:"recorded" doc:"Tool calls answered from the record." example:"1"`
	Live             int           `json:"live" doc:"Searches that were not on record, made in today's articles." example:"0"`
	Withheld         int           `json:"withheld" doc:"Tool calls that would have changed something, and did not." example:"0"`
}

func showReplay(r domain.Replay) Replay {
	shown := Replay{
		ID: string(r.ID), ThreadID: string(r.ThreadID), Golden: r.GoldenID != "", AgentID: orNull(r.AgentID), AgentName: r.AgentName,
		JudgeAgentID: orNull(r.JudgeID), Drift: r.Drift, Overridden: r.Override, Status: string(r.Status), Error: r.Error, Total: r.Answers,
		Summary: r.Sum(), Answers: []ReplayAnswer{}, CreatedAt: Time(r.CreatedAt), FinishedAt: timeOrNull(r.FinishedAt),
	}
	for _, t := range r.Turns {
		shown.Answers = append(shown.Answers, ReplayAnswer{
			FromSeq: t.FromSeq, ToSeq: t.ToSeq, Asked: t.Asked, Then: t.Then, Now: t.Now, Outcome: string(t.Outcome), Regressed: t.Regressed(),
			Error: t.Error, Note: t.Note, Verdict: string(t.Verdict), Reason: t.Reason, MS: t.MS, PromptTokens: t.PromptTokens,
			CompletionTokens: t.CompletionTokens, CostUSD: t.CostUSD, Recorded: t.Recorded, Live: t.Live, Withheld: t.Withheld,
		})
	}
	return shown
}

// ReplayCreate is the body that orders a replay. All of it may be left out.
type ReplayCreate struct {
	AgentID      string   `json:"agent_id,omitempty" doc:"Who is to answer; by default the agent that did, or that is to."`
	JudgeAgentID string   `json:"judge_agent_id,omitempty" doc:"The agent that says whether a changed answer is as good."`
	Instructions *string  `json:"instructions,omitempty" doc:"Another system prompt, for an openai agent."`
	Model        *string  `json:"model,omitempty" doc:"Another model, for an openai agent."`
	Temperature  *float64 `json:"temperature,omitempty" doc:"For an openai agent."`
	Greeting     *string  `json:"greeting,omitempty" doc:"For a builtin agent."`
	Confidence   *float64 `json:"min_confidence,omitempty" doc:"For a builtin agent."`
	Drift        bool     `json:"drift,omitempty" doc:"Later answers see the new ones before them, not what was said then." example:"false"`
}

type createReplayRequest struct {
	Path
	Body ReplayCreate `example:"{\"drift\":false}"`
}

// Golden is a thread whose answers are to stay as good as they are.
type Golden struct {
	ThreadID string         `json:"thread_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Answers  []GoldenAnswer `json:"answers"`
}

// GoldenAnswer is one of its answers.
type GoldenAnswer struct {
	FromSeq int64         `json:"from_seq" example:"1"`
	ToSeq   int64         `json:"to_seq" example:"1"`
	Then    domain.Answer `json:"then"`
	Note    string        `json:"note,omitempty" example:"Names the number of days."`
}

// GoldenFields is what can be said of a golden thread.
type GoldenFields struct {
	Notes []domain.Expectation `json:"notes,omitempty" doc:"What is expected of the answer to the line with a seq, for people and for the judge."`
}

type markGoldenRequest struct {
	Path
	Body GoldenFields `example:"{\"notes\":[{\"seq\":1,\"note\":\"Says hello.\"}]}"`
}

func (a *API) replayOperations() {
	const tag = tagThreads
	add(a, creates(ownerOperation(http.MethodPost, "/threads/{id}/replays", "create-replay", tag, "Answer a thread again",
		"Answers each of the contact's lines again, after the history it really had, and compares. Nothing of it reaches anybody: it is not stored in the "+
			"thread, not sent, and tools that would change something are called off. Searches made then are answered from the record. What models cost counts "+
			"against the day's budget. The replay is made in the background: read it until `status` is `done` or `failed`.")), a.createReplay)
	add(a, operation(http.MethodGet, "/replays/{id}", "get-replay", tag, "Read a replay", "With the answers so far."), a.getReplay)
	add(a, ownerOperation(http.MethodPut, "/threads/{id}/golden", "mark-golden", tag, "Make a thread golden",
		"Keeps the thread's answers by agents, as they are now, for `parley replay --golden`. Doing it again keeps them as they are then, and forgets earlier results."), a.markGolden)
	add(a, ownerOperation(http.MethodDelete, "/threads/{id}/golden", "unmark-golden", tag, "Make a golden thread an ordinary one",
		"Results of its replays as a golden one are forgotten. 404 if it is none."), a.unmarkGolden)
}

func (a *API) createReplay(ctx context.Context, in *createReplayRequest) (*Answer[Replay], error) {
	thread, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	caller, b := callerOf(ctx), in.Body
	order := replay.Order{OrgID: caller.scope(), Drift: b.Drift, By: caller.program().Name, Override: domain.Override{
		Instructions: b.Instructions, Model: b.Model, Temperature: b.Temperature, Greeting: b.Greeting, MinConfidence: b.Confidence,
	}}
	if _, err := a.Chat.Conversation(ctx, order.OrgID, thread); err != nil { // before any field is looked at
		return nil, err
	}
	if order.AgentID, err = parseField[domain.AgentID]("agent_id", b.AgentID); err != nil {
		return nil, err
	}
	if order.JudgeID, err = parseField[domain.AgentID]("judge_agent_id", b.JudgeAgentID); err != nil {
		return nil, err
	}
	r, err := a.Replays.Ask(ctx, thread, order)
	return &Answer[Replay]{showReplay(r)}, err
}

func (a *API) getReplay(ctx context.Context, in *struct{ Path }) (*Answer[Replay], error) {
	id, err := domain.ParseID[domain.ReplayID](in.ID)
	if err != nil {
		return nil, err
	}
	r, err := a.Replays.Replay(ctx, callerOf(ctx).scope(), id)
	return &Answer[Replay]{showReplay(r)}, err
}

func (a *API) markGolden(ctx context.Context, in *markGoldenRequest) (*Answer[Golden], error) {
	thread, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	g, err := a.Replays.Mark(ctx, caller.scope(), thread, in.Body.Notes, caller.program().Name)
	if err != nil {
		return nil, err
	}
	shown := Golden{ThreadID: string(g.ThreadID), Answers: []GoldenAnswer{}}
	for _, x := range g.Tape.Exchanges {
		shown.Answers = append(shown.Answers, GoldenAnswer{x.FromSeq, x.ToSeq, x.Then, x.Note})
	}
	return &Answer[Golden]{shown}, nil
}

func (a *API) unmarkGolden(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	thread, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Replays.Unmark(ctx, callerOf(ctx).scope(), thread)
}
