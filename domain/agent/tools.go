package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

type toolOffer struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// tool is what a model may do. run gets the raw arguments and fails with words for the model, or with a *Failure that ends the turn.
type tool struct {
	name, about, parameters string
	run                     func(*modelTurn, context.Context, json.RawMessage) (toolOutcome, error)
}

// toolOutcome is what the model is told, and the record.
type toolOutcome struct {
	answer  any
	summary string
	shown   string // what somebody else's tool said, for the record; empty for our own
}

// offered are our own tools and those of the servers that were reached.
func (t *modelTurn) offered() []tool {
	all := tools()
	for _, s := range t.open {
		all = append(all, s.tools...)
	}
	return all
}

func offers(tools []tool) []toolOffer {
	var all []toolOffer
	for _, t := range tools {
		o := toolOffer{Type: "function"}
		o.Function.Name, o.Function.Description, o.Function.Parameters = t.name, t.about, json.RawMessage(t.parameters)
		all = append(all, o)
	}
	return all
}

// complaint is what was wrong with a call, for the model to read.
type complaint string

func (c complaint) Error() string { return string(c) }

// use runs one tool call, on the record, and returns what the model is told. What a model got wrong is its answer; only what ends
// the turn is an error.
func (t *modelTurn) use(ctx context.Context, call toolCall) (string, error) {
	name, raw := call.Function.Name, strings.TrimSpace(call.Function.Arguments)
	if raw == "" {
		raw = "{}"
	}
	asked := time.Now()
	t.step(domain.ToolCall, map[string]any{"name": clip(name, 80), "arguments": shownArguments(raw)})
	outcome, err := t.run(ctx, name, raw)
	detail := map[string]any{"name": clip(name, 80), "ok": err == nil, "ms": millis(time.Since(asked)), "summary": outcome.summary}
	said, wrong := err.(complaint)
	switch {
	case wrong:
		detail["summary"] = string(said)
		outcome.answer, err = map[string]any{"error": string(said)}, nil
	case err != nil:
		detail["summary"] = explain(err)
	}
	if outcome.shown != "" {
		detail["result"] = outcome.shown
	}
	t.step(domain.ToolResult, detail)
	if err != nil {
		return "", err
	}
	answer, err := json.Marshal(outcome.answer)
	if err != nil {
		return "", &Failure{Reason: "a tool's answer could not be encoded", Err: err}
	}
	return string(answer), nil
}

func (t *modelTurn) run(ctx context.Context, name, raw string) (toolOutcome, error) {
	all := t.offered()
	i := slices.IndexFunc(all, func(o tool) bool { return o.name == name })
	switch {
	case i < 0:
		return toolOutcome{}, complaint(fmt.Sprintf("there is no tool %.60q; there are %s", name, namesOf(all)))
	case len(raw) > toolArgumentsLimit:
		return toolOutcome{}, complaint("the arguments are too long")
	}
	return all[i].run(t, ctx, json.RawMessage(raw))
}

func namesOf(tools []tool) string {
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.name
	}
	return strings.Join(names, ", ")
}

const (
	toolArgumentsLimit = 16 << 10 // bytes
	repliesLimit       = 5        // messages of one turn
)

// shownArguments are arguments for the record: as JSON if they are, else as the text they are.
func shownArguments(raw string) any {
	if len(raw) <= toolArgumentsLimit && json.Valid([]byte(raw)) {
		return json.RawMessage(raw)
	}
	return clip(strings.ToValidUTF8(raw[:min(len(raw), 2000)], ""), 500)
}

// arguments decodes into a struct of a tool's own fields; whatever else was given is ignored.
func arguments(raw json.RawMessage, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return complaint("the arguments are not the JSON object that the tool's parameters describe")
	}
	return nil
}
