package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

// Tools a model is offered. Each acts on the turn's own thread, contact and organisation: its arguments hold words, never scope.
const (
	toolReply   = "send_webchat_reply"
	toolHandoff = "hand_off_to_human"
	toolSearch  = "search_knowledge"
	toolDetails = "set_contact_details"
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

// tools are all there are. A function, because they refer to what refers to them.
func tools() []tool {
	return []tool{
		{toolReply, "Send the visitor a message now, when you want to send more than one. Whatever you write as plain text after using it is not shown.",
			`{"type":"object","properties":{"content":{"type":"string","description":"The message, in Markdown without images."}},"required":["content"]}`,
			(*modelTurn).sendReply},
		{toolHandoff, "Ask a person of the team to take this conversation over: when the visitor wants one, or you cannot help. You are silent afterwards.",
			`{"type":"object","properties":{"reason":{"type":"string","description":"Why, in one sentence for the team."}},"required":["reason"]}`,
			(*modelTurn).handOff},
		{toolSearch, "Search the site's knowledge articles.",
			`{"type":"object","properties":{"query":{"type":"string","description":"What to look for, in the visitor's language."}},"required":["query"]}`,
			(*modelTurn).searchKnowledge},
		{toolDetails, "Keep what the visitor said about themselves in this conversation. Give only what they said.",
			`{"type":"object","properties":{"name":{"type":"string"},"email":{"type":"string"},"phone":{"type":"string"}}}`,
			(*modelTurn).setDetails},
	}
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

func (t *modelTurn) sendReply(ctx context.Context, raw json.RawMessage) (toolOutcome, error) {
	var a struct {
		Content string `json:"content"`
	}
	if err := arguments(raw, &a); err != nil {
		return toolOutcome{}, err
	}
	content := strings.TrimSpace(domain.Storable(a.Content))
	switch {
	case content == "":
		return toolOutcome{}, complaint("content is empty: nothing was sent")
	case slices.Contains(t.said, content):
		return toolOutcome{}, complaint("this message was sent already: it was not sent again")
	case len(t.said) == repliesLimit:
		return toolOutcome{}, complaint("these are enough messages for one turn: it was not sent")
	}
	if err := t.sink.Reply(ctx, t.reply(content)); err != nil {
		return toolOutcome{}, err
	}
	t.said = append(t.said, content)
	return toolOutcome{map[string]any{"ok": true}, "sent", ""}, nil
}

func (t *modelTurn) handOff(_ context.Context, raw json.RawMessage) (toolOutcome, error) {
	var a struct {
		Reason string `json:"reason"`
	}
	if err := arguments(raw, &a); err != nil {
		return toolOutcome{}, err
	}
	reason := clip(oneLine(a.Reason), 300)
	if reason == "" {
		reason = "the agent asked for a person"
	}
	t.handoff = &Handoff{Reason: reason}
	return toolOutcome{map[string]any{"ok": true}, "a person was asked for", ""}, nil
}

func (t *modelTurn) searchKnowledge(ctx context.Context, raw json.RawMessage) (toolOutcome, error) {
	var a struct {
		Query string `json:"query"`
	}
	if err := arguments(raw, &a); err != nil {
		return toolOutcome{}, err
	}
	query := clip(oneLine(a.Query), 500)
	if query == "" {
		return toolOutcome{}, complaint("query is empty")
	}
	hits, err := t.search(ctx, query)
	if err != nil {
		if ctx.Err() != nil {
			return toolOutcome{}, cutShort(ctx)
		}
		return toolOutcome{}, complaint("the search failed; answer without it or ask a person")
	}
	return toolOutcome{map[string]any{"passages": t.passages(hits, meaningful(wordsOf(query), &english))}, found(hits), ""}, nil
}

// found says in words what a search found.
func found(hits []domain.Passage) string {
	titles := make([]string, len(hits))
	for i, h := range hits {
		titles[i] = h.Title
	}
	if len(titles) == 0 {
		return "nothing found"
	}
	return clip("found "+strings.Join(titles, ", "), 300)
}

func (t *modelTurn) setDetails(ctx context.Context, raw json.RawMessage) (toolOutcome, error) {
	var a Contact
	if err := arguments(raw, &a); err != nil {
		return toolOutcome{}, err
	}
	a.Name, a.Email, a.Phone = oneLine(a.Name), oneLine(a.Email), oneLine(a.Phone)
	var kept []string
	for _, f := range []struct{ name, value string }{{"name", a.Name}, {"email", a.Email}, {"phone", a.Phone}} {
		if f.value != "" {
			kept = append(kept, f.name)
		}
	}
	switch {
	case len(kept) == 0:
		return toolOutcome{}, complaint("none of name, email and phone was given")
	case utf8.RuneCountInString(a.Name) > 120:
		return toolOutcome{}, complaint("the name is too long")
	case a.Email != "" && !isEmail(a.Email):
		return toolOutcome{}, complaint("this is not an e-mail address")
	case a.Phone != "" && !domain.IsPhone(a.Phone):
		return toolOutcome{}, complaint("this is not a phone number")
	case t.contacts == nil:
		return toolOutcome{}, complaint("contact details cannot be kept here")
	}
	err := t.contacts.SetContactDetails(ctx, t.r.OrgID, t.r.ContactID, a.Name, a.Email, a.Phone)
	if errors.Is(err, ErrNotExecuted) {
		return toolOutcome{map[string]any{"ok": true, "note": ErrNotExecuted.Error()}, ErrNotExecuted.Error(), ""}, nil
	}
	if err != nil {
		if ctx.Err() != nil {
			return toolOutcome{}, cutShort(ctx)
		}
		return toolOutcome{}, complaint("the details could not be kept")
	}
	return toolOutcome{map[string]any{"ok": true}, "kept " + strings.Join(kept, ", "), ""}, nil
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s && len(s) <= 254
}

// oneLine is a text without control characters and with single spaces.
func oneLine(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}
