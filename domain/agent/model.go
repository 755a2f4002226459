package agent

import (
	"bytes"
	"cmp"
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
	Reasoning words  `json:"reasoning_content"` // what a reasoning model thinks, as DeepSeek and others call it
	Thoughts  words  `json:"reasoning"`         // as Ollama, OpenRouter and others do
	ToolCalls []struct {
		Index    int          `json:"index"`
		ID       string       `json:"id"`
		Function toolFunction `json:"function"`
	} `json:"tool_calls"`
}

// words is a text that may be left out. Anything else in its place says nothing: no answer fails for it.
type words string

// UnmarshalJSON is json.Unmarshaler.
func (w *words) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*w = words(s)
	}
	return nil
}

// modelPiece is a piece of an answer, of the thoughts before it, or of both.
type modelPiece struct{ Text, Thought string }

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

// readCompletion yields the pieces of an answer as they come and fills in out. The pair that ends it early has an error:
// errCut if the stream broke off without saying that it was at its end.
func readCompletion(body io.Reader, contentType string, out *completion) iter.Seq2[modelPiece, error] {
	if media, _, _ := mime.ParseMediaType(contentType); media == "application/json" {
		return readWhole(body, out)
	}
	return func(yield func(modelPiece, error) bool) {
		var at assembly
		for e, err := range readSSE(body) {
			if err != nil && out.Finish != "" {
				return // it had said all; only the usage may be missing
			}
			if err != nil {
				yield(modelPiece{}, err)
				return
			}
			if string(bytes.TrimSpace(e.data)) == "[DONE]" {
				if out.Finish == "" {
					out.Finish = "stop"
				}
				return
			}
			piece, err := at.take(e.data, out)
			if err != nil || piece != (modelPiece{}) && !yield(piece, nil) {
				if err != nil {
					yield(modelPiece{}, err)
				}
				return
			}
		}
		if out.Finish == "" {
			yield(modelPiece{}, errCut)
		}
	}
}

// readWhole reads an answer of a server that does not stream.
func readWhole(body io.Reader, out *completion) iter.Seq2[modelPiece, error] {
	return func(yield func(modelPiece, error) bool) {
		raw, err := io.ReadAll(body)
		if err != nil {
			yield(modelPiece{}, err)
			return
		}
		var at assembly
		piece, err := at.take(raw, out)
		if err == nil && out.Finish == "" {
			err = errNotModel
		}
		if err != nil || piece != (modelPiece{}) {
			yield(piece, err)
		}
	}
}

// assembly puts tool calls together over the chunks they come in.
type assembly struct {
	place    map[int]int // index in the stream → place in Calls
	thoughts thoughts
}

// take adds one chunk to out and returns what it says and thinks.
func (a *assembly) take(data []byte, out *completion) (piece modelPiece, err error) {
	var c modelChunk
	if err := json.Unmarshal(data, &c); err != nil {
		return piece, fmt.Errorf("%w: %w", errNotModel, err)
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return piece, fmt.Errorf("%w: %s", errModelSays, wordsOfError(data))
	}
	if c.Usage != nil {
		out.Usage = c.Usage
	}
	if len(c.Choices) == 0 {
		return piece, nil
	}
	choice := c.Choices[0]
	if choice.FinishReason != "" {
		out.Finish = choice.FinishReason
	}
	text, thought := a.thoughts.pass(choice.Delta.Content + choice.Message.Content)
	piece = modelPiece{text, choice.Delta.thinks() + choice.Message.thinks() + thought}
	if choice.FinishReason != "" {
		text, thought = a.thoughts.rest()
		piece.Text, piece.Thought = piece.Text+text, piece.Thought+thought
	}
	if len(out.Content)+len(piece.Text) > contentLimit {
		return modelPiece{}, errAnswerBig
	}
	out.Content += piece.Text
	for _, d := range []modelDelta{choice.Delta, choice.Message} {
		if err := a.calls(d, out); err != nil {
			return modelPiece{}, err
		}
	}
	return piece, nil
}

// thinks is what a chunk tells of the model's thoughts. Servers that know both names say the same twice.
func (d modelDelta) thinks() string { return string(cmp.Or(d.Reasoning, d.Thoughts)) }

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
