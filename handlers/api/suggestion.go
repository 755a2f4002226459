package api

import (
	"context"
	"net/http"

	"github.com/parley-chat/parley/domain"
)

// Suggestion is an agent's draft that waits for a person.
type Suggestion struct {
	ID          string            `json:"id" format:"uuid" doc:"The turn that drafted it." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ThreadID    string            `json:"thread_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	AgentName   string            `json:"agent_name" example:"Ada"`
	Content     string            `json:"content" example:"We deliver within three working days."`
	ContentType string            `json:"content_type" enum:"text,markdown" example:"markdown"`
	Citations   []domain.Citation `json:"citations,omitempty"`
	ToSeq       int64             `json:"to_seq" doc:"It answers the contact's lines up to this seq." example:"3"`
	Outdated    bool              `json:"outdated" doc:"The contact has written since."`
	CreatedAt   Time              `json:"created_at"`
}

func (a *API) suggestionOperations() {
	const tag = tagMessages
	add(a, operation(http.MethodGet, "/threads/{id}/suggestion", "get-suggestion", tag, "Read the draft that waits",
		"What an agent with `send_mode` `suggest` would say next. 404 when no draft waits: none was made, or it was sent, discarded or overtaken by "+
			"an answer. Send it with `POST /threads/{id}/messages` and its id as `suggestion_id`."), a.getSuggestion)
	add(a, operation(http.MethodDelete, "/threads/{id}/suggestion", "discard-suggestion", tag, "Discard the draft that waits",
		"It stays in the timeline, with who did not want it."), a.discardSuggestion)
}

func (a *API) getSuggestion(ctx context.Context, in *struct{ Path }) (*Answer[Suggestion], error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	s, err := a.Chat.Suggestion(ctx, callerOf(ctx).scope(), id)
	if err != nil {
		return nil, err
	}
	shown := Suggestion{ID: string(s.Turn), ThreadID: in.ID, AgentName: s.Agent, Content: s.Content, ContentType: string(s.ContentType),
		Citations: s.Citations, ToSeq: s.ToSeq, Outdated: s.Outdated, CreatedAt: Time(s.At)}
	return &Answer[Suggestion]{shown}, nil
}

func (a *API) discardSuggestion(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	s, err := a.Chat.Suggestion(ctx, caller.scope(), id)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Chat.Discard(ctx, caller.program(), id, s.Turn)
}
