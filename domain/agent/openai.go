package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

const (
	modelIdle   = 45 * time.Second // longest silence between two pieces of an answer
	modelAnswer = 8 << 20          // bytes of one answer, with everything around the words
	settleLimit = 10 * time.Second
)

// openAI lets a language model answer, at any endpoint that speaks OpenAI's chat completions.
type openAI struct {
	config    domain.OpenAIConfig
	key       string
	client    *http.Client
	knowledge Knowledge
	contacts  Contacts
	purse     Purse
	log       *slog.Logger
	idle      time.Duration
	servers   []toolServer
}

func newOpenAI(a domain.Agent, d Deps) (Runtime, error) {
	config, err := domain.ParseOpenAIConfig(a.Config)
	if err != nil {
		return nil, err
	}
	return &openAI{
		config: config, key: a.Secrets[domain.APIKeySecret], client: d.Outbound.Client(), knowledge: d.Knowledge, contacts: d.Contacts,
		purse: d.Purse, log: d.Log.With("agent", a.ID), idle: modelIdle, servers: newToolServers(a, config, d),
	}, nil
}

// modelTurn is one turn: as many model calls as its tools make necessary and its limits allow.
type modelTurn struct {
	*openAI
	r        TurnRequest
	sink     Sink
	began    time.Time
	messages []modelMessage
	known    []domain.Passage // all that was found, for the citations
	said     []string         // sent through the sink
	handoff  *Handoff
	usage    Usage
	calls    int
	open     []*toolServer
}

// Turn lets the model answer, search and hand off until it has said what it has to say. Nothing is tried again in here: an attempt
// fails as a whole, and whoever saw pieces of its answer sees the next attempt's instead.
func (o *openAI) Turn(ctx context.Context, r TurnRequest, sink Sink) (Result, error) {
	pending := pendingLines(r)
	if len(pending) == 0 {
		return Result{}, &Failure{Reason: "there was nothing to answer", Permanent: true, Err: errNothingPending}
	}
	ctx, cancel := timed(ctx, o.config.Timeout())
	defer cancel()
	gentle, stop := pace(sink)
	defer stop()
	t := &modelTurn{openAI: o, r: r, sink: gentle, began: time.Now()}
	t.reach(ctx)
	defer t.leave()
	t.messages = o.prompt(r, t.preselect(ctx, pending))
	result, err := t.converse(ctx)
	result.Usage = t.usage
	return result, err
}

// converse calls the model until it no longer wants a tool.
func (t *modelTurn) converse(ctx context.Context) (Result, error) {
	for range t.config.MaxSteps {
		out, err := t.call(ctx)
		if err != nil {
			return Result{}, err
		}
		content := strings.TrimSpace(domain.Storable(out.Content))
		if len(out.Calls) == 0 {
			return t.final(content, out.Finish)
		}
		t.messages = append(t.messages, modelMessage{Role: "assistant", Content: orNull(content), ToolCalls: out.Calls})
		for _, c := range out.Calls {
			answer, err := t.use(ctx, c)
			if err != nil {
				return Result{}, err
			}
			t.messages = append(t.messages, modelMessage{Role: "tool", ToolCallID: c.ID, Content: &answer})
		}
		if t.handoff != nil {
			return t.handedOff(content), nil
		}
	}
	if len(t.said) > 0 {
		return Result{}, nil
	}
	return Result{}, &Failure{Reason: fmt.Sprintf("used up its %d steps without an answer", t.config.MaxSteps), Permanent: true}
}

// final is the end of a turn whose model wants no more tools. After messages that it sent itself, plain text is talk about them.
func (t *modelTurn) final(content, finish string) (Result, error) {
	switch {
	case len(t.said) > 0:
		return Result{}, nil
	case finish == "content_filter":
		return Result{}, &Failure{Reason: "its provider's content filter stopped the answer", Permanent: true}
	case content == "":
		return Result{}, &Failure{Reason: "gave an empty answer"}
	}
	reply := t.reply(content)
	return Result{Reply: &reply}, nil
}

func (t *modelTurn) handedOff(content string) Result {
	result := Result{Handoff: t.handoff}
	if content != "" && len(t.said) == 0 {
		reply := t.reply(content)
		result.Reply = &reply
	}
	return result
}

func (t *modelTurn) reply(content string) Reply {
	return Reply{Content: content, ContentType: domain.Markdown, Citations: t.citations(content)}.Harmless()
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// call makes one model call within what is left of the turn's limits, on the record and paid for.
func (t *modelTurn) call(ctx context.Context) (completion, error) {
	room := t.config.MaxOutputTokens - t.usage.CompletionTokens
	if room <= 0 {
		return completion{}, &Failure{Reason: fmt.Sprintf("used up its %d output tokens", t.config.MaxOutputTokens), Permanent: true}
	}
	body, err := json.Marshal(t.request(room))
	if err != nil {
		return completion{}, &Failure{Reason: "the prompt could not be encoded", Permanent: true, Err: err}
	}
	estimate := modelUsage{tokens(string(body)), room}
	settle, err := t.hold(ctx, t.config.CostUSD(estimate.PromptTokens, estimate.CompletionTokens))
	if err != nil {
		return completion{}, err
	}
	x := modelCall{modelTurn: t, began: time.Now()}
	out, err := x.run(ctx, body)
	used, estimated := x.used(out, estimate.PromptTokens)
	cost := t.config.CostUSD(used.PromptTokens, used.CompletionTokens)
	settle(cost)
	t.calls++
	t.usage.PromptTokens += used.PromptTokens
	t.usage.CompletionTokens += used.CompletionTokens
	t.usage.CostUSD += cost
	x.record(out, used, estimated, cost, err)
	return out, err
}

func (t *modelTurn) request(room int) modelRequest {
	q := modelRequest{Model: t.config.Model, Messages: t.messages, Tools: offers(t.offered()), Temperature: t.config.Temperature, Stream: true}
	q.StreamOptions.IncludeUsage = true
	if t.calls > 0 && t.calls == t.config.MaxSteps-1 {
		q.ToolChoice = "none" // the last call has to be an answer
	}
	if u, err := url.Parse(t.config.BaseURL); err == nil && u.Hostname() == "api.openai.com" {
		q.MaxCompletionTokens = room
	} else {
		q.MaxTokens = room
	}
	return q
}

func (t *modelTurn) step(kind domain.TimelineKind, detail map[string]any) {
	t.sink.Step(Step{Kind: kind, After: time.Since(t.began), Detail: detail})
}
