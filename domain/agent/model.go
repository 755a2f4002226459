package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"strings"
)

// The chat completions protocol, as OpenAI documents it and many others speak it, as a pure codec.

// modelMessage is one message of a prompt.
type modelMessage struct {
	Role       string     `json:"role"` // system, user, assistant, tool
	Content    *string    `json:"content"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type toolCall struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	Function toolFunction `json:"function"`
}

type toolFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON, as far as the model got it right
}

type modelRequest struct {
	Model               string         `json:"model"`
	Messages            []modelMessage `json:"messages"`
	Tools               []toolOffer    `json:"tools,omitempty"`
	ToolChoice          string         `json:"tool_choice,omitempty"`
	Temperature         *float64       `json:"temperature,omitempty"`
	MaxTokens           int            `json:"max_tokens,omitempty"`
	MaxCompletionTokens int            `json:"max_completion_tokens,omitempty"` // what OpenAI itself calls it by now
	Stream              bool           `json:"stream"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// completion is what one call came to.
type completion struct {
	Content string
	Calls   []toolCall
	Finish  string
	Usage   *modelUsage // nil = it did not say
}

type modelUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

type modelChunk struct {
	Choices []struct {
		Delta        modelDelta `json:"delta"`
		Message      modelDelta `json:"message"` // of an answer that is no stream
		FinishReason string     `json:"finish_reason"`
	} `json:"choices"`
	Usage *modelUsage     `json:"usage"`
	Error json.RawMessage `json:"error"`
}

type modelDelta struct {
	Content   string `json:"content"`
	ToolCalls []struct {
		Index    int          `json:"index"`
		ID       string       `json:"id"`
		Function toolFunction `json:"function"`
	} `json:"tool_calls"`
}

const (
	contentLimit   = 128 << 10 // bytes of a model's text
	argumentsLimit = 64 << 10  // bytes of one tool call's arguments
	callsLimit     = 16        // tool calls in one answer
)

var (
	errCut       = errors.New("agent: the stream ended before the answer did")
	errNotModel  = errors.New("agent: not a chat completion")
	errTooMany   = errors.New("agent: too many tool calls at once")
	errModelSays = errors.New("agent: the model reported an error")
)

// readCompletion yields the pieces of text of an answer as they come and fills in out. The pair that ends it early has an error:
// errCut if the stream broke off without saying that it was at its end.
func readCompletion(body io.Reader, contentType string, out *completion) iter.Seq2[string, error] {
	if media, _, _ := mime.ParseMediaType(contentType); media == "application/json" {
		return readWhole(body, out)
	}
	return func(yield func(string, error) bool) {
		var at assembly
		for e, err := range readSSE(body) {
			if err != nil && out.Finish != "" {
				return // it had said all; only the usage may be missing
			}
			if err != nil {
				yield("", err)
				return
			}
			if string(bytes.TrimSpace(e.data)) == "[DONE]" {
				if out.Finish == "" {
					out.Finish = "stop"
				}
				return
			}
			piece, err := at.take(e.data, out)
			if err != nil || piece != "" && !yield(piece, nil) {
				if err != nil {
					yield("", err)
				}
				return
			}
		}
		if out.Finish == "" {
			yield("", errCut)
		}
	}
}

// readWhole reads an answer of a server that does not stream.
func readWhole(body io.Reader, out *completion) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		raw, err := io.ReadAll(body)
		if err != nil {
			yield("", err)
			return
		}
		var at assembly
		piece, err := at.take(raw, out)
		if err == nil && out.Finish == "" {
			err = errNotModel
		}
		if err != nil || piece != "" {
			yield(piece, err)
		}
	}
}

// assembly puts tool calls together over the chunks they come in.
type assembly struct {
	place    map[int]int // index in the stream → place in Calls
	thoughts thoughts
}

// take adds one chunk to out and returns its text.
func (a *assembly) take(data []byte, out *completion) (string, error) {
	var c modelChunk
	if err := json.Unmarshal(data, &c); err != nil {
		return "", fmt.Errorf("%w: %w", errNotModel, err)
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return "", fmt.Errorf("%w: %s", errModelSays, wordsOfError(data))
	}
	if c.Usage != nil {
		out.Usage = c.Usage
	}
	if len(c.Choices) == 0 {
		return "", nil
	}
	choice := c.Choices[0]
	if choice.FinishReason != "" {
		out.Finish = choice.FinishReason
	}
	piece := a.thoughts.pass(choice.Delta.Content + choice.Message.Content)
	if choice.FinishReason != "" {
		piece += a.thoughts.rest()
	}
	if len(out.Content)+len(piece) > contentLimit {
		return "", errAnswerBig
	}
	out.Content += piece
	for _, d := range []modelDelta{choice.Delta, choice.Message} {
		if err := a.calls(d, out); err != nil {
			return "", err
		}
	}
	return piece, nil
}

// calls adds fragments of tool calls. Some servers number all calls 0, or none: an id that is not the open call's begins another.
func (a *assembly) calls(d modelDelta, out *completion) error {
	if a.place == nil {
		a.place = map[int]int{}
	}
	for _, f := range d.ToolCalls {
		at, known := a.place[f.Index]
		if !known || f.ID != "" && out.Calls[at].ID != "" && f.ID != out.Calls[at].ID {
			if len(out.Calls) == callsLimit {
				return errTooMany
			}
			at = len(out.Calls)
			a.place[f.Index] = at
			out.Calls = append(out.Calls, toolCall{Type: "function"})
		}
		call := &out.Calls[at]
		if f.ID != "" {
			call.ID = f.ID
		}
		call.Function.Name += f.Function.Name
		call.Function.Arguments += f.Function.Arguments
		if len(call.Function.Arguments) > argumentsLimit || len(call.Function.Name) > 200 {
			return errAnswerBig
		}
	}
	return nil
}

// wordsOfError finds a provider's own words about an error, in the places where providers put them.
func wordsOfError(body []byte) string {
	var outer struct {
		Error   any `json:"error"`
		Message any `json:"message"`
		Detail  any `json:"detail"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return ""
	}
	for _, place := range []any{outer.Error, outer.Message, outer.Detail} {
		if object, ok := place.(map[string]any); ok {
			place = object["message"]
		}
		if words, ok := place.(string); ok && strings.TrimSpace(words) != "" {
			return words
		}
	}
	return ""
}
