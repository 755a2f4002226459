package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

// modelCall is one request to the model.
type modelCall struct {
	*modelTurn
	began   time.Time
	connect time.Duration
	first   time.Duration // until the first piece of text or tool call; 0 = none came
	reached bool          // the model may have begun to work, and cost
}

func (x *modelCall) run(ctx context.Context, body []byte) (out completion, err error) {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}, "User-Agent": {"Parley"}}
	if x.key != "" {
		header.Set("Authorization", "Bearer "+x.key)
	}
	a, err := post{
		client: x.client, url: x.config.BaseURL + "/chat/completions", header: header, body: body,
		whole: x.config.Timeout(), idle: x.idle, limit: modelAnswer,
	}.send(ctx)
	if err != nil {
		return out, err
	}
	defer a.Close()
	x.connect = a.connect
	if a.StatusCode != http.StatusOK {
		return out, x.refused(a)
	}
	x.reached = true
	for piece, err := range readCompletion(a, a.Header.Get("Content-Type"), &out) {
		if x.first == 0 && (err != nil || piece.Text != "") {
			x.first = time.Since(x.began)
		}
		if err != nil {
			return out, x.broken(a, err)
		}
		if piece.Thought != "" {
			x.sink.Think(piece.Thought)
		}
		if piece.Text != "" && len(x.said) == 0 {
			x.sink.Delta(piece.Text)
		}
	}
	if x.first == 0 && len(out.Calls) > 0 {
		x.first = time.Since(x.began)
	}
	for i := range out.Calls {
		out.Calls[i].ID = cmp.Or(out.Calls[i].ID, fmt.Sprintf("call_%d_%d", x.calls, i))
	}
	return out, nil
}

// refused is an answer of another status, in the provider's own words as far as they may be shown.
func (x *modelCall) refused(a *posted) *Failure {
	f := refusal(a.StatusCode, a.Header)
	body, _ := io.ReadAll(io.LimitReader(a, 16<<10)) // what cannot be read says nothing
	f.Reason = x.quoting(f.Reason, wordsOfError(body))
	return f
}

// broken is a stream that did not come to its end.
func (x *modelCall) broken(a *posted, err error) *Failure {
	switch {
	case errors.Is(err, errCut):
		if context.Cause(a.ctx) == nil {
			return outage("broke off in the middle of its answer", err)
		}
	case errors.Is(err, errModelSays):
		_, words, _ := strings.Cut(err.Error(), ": the model reported an error: ")
		return outage(x.quoting("reported an error", words), nil)
	case errors.Is(err, errNotModel):
		return outage("sent something that is not a chat completion", err)
	case errors.Is(err, errTooMany):
		return &Failure{Reason: "wanted too many tools at once", Err: err}
	}
	return a.broken(err)
}

// keys look like the credentials of a provider, which some quote back.
var keys = regexp.MustCompile(`\b(sk|pk|rk|key|gsk|xai)[-_][A-Za-z0-9_*.\-]{6,}`)

// quoting appends somebody else's words to a reason, on one line and without secrets.
func (o *openAI) quoting(reason, words string) string {
	words = keys.ReplaceAllString(redact(oneLine(words), o.key), domain.Masked)
	if words == "" {
		return reason
	}
	return clip(reason+": "+words, faultChars)
}

// used is what a call used: as reported, or as estimated from what went over the wire.
func (x *modelCall) used(out completion, prompt int) (u modelUsage, estimated bool) {
	const most = 100_000_000 // more is a mistake of theirs
	switch {
	case !x.reached:
		return u, false
	case out.Usage != nil:
		return modelUsage{min(max(0, out.Usage.PromptTokens), most), min(max(0, out.Usage.CompletionTokens), most)}, false
	}
	u = modelUsage{prompt, 0}
	if out.Content != "" {
		u.CompletionTokens = tokens(out.Content)
	}
	for _, c := range out.Calls {
		u.CompletionTokens += tokens(c.Function.Name + c.Function.Arguments)
	}
	return u, true
}

func (x *modelCall) record(out completion, used modelUsage, estimated bool, cost float64, err error) {
	detail := map[string]any{
		"kind": string(domain.AgentOpenAI), "model": x.config.Model, "ms": millis(time.Since(x.began)),
		"prompt_tokens": used.PromptTokens, "completion_tokens": used.CompletionTokens, "cost_usd": cost,
		"prompt": x.messages,
	}
	if x.connect > 0 {
		detail["connect_ms"] = millis(x.connect)
	}
	if x.first > 0 {
		detail["first_token_ms"] = millis(x.first)
	}
	if estimated {
		detail["estimated"] = true
	}
	if out.Finish != "" {
		detail["finish"] = clip(out.Finish, 40)
	}
	if out.Content != "" || len(out.Calls) > 0 {
		detail["response"] = map[string]any{"content": out.Content, "tool_calls": out.Calls}
	}
	if err != nil {
		detail["error"] = explain(err)
	}
	x.step(domain.ModelCall, detail)
}
