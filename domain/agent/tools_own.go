package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

// The tools that every model is offered. Each acts on the turn's own thread, contact and organisation: its arguments hold words, never scope.
const (
	toolReply   = "send_webchat_reply"
	toolHandoff = "hand_off_to_human"
	toolSearch  = "search_knowledge"
	toolDetails = "set_contact_details"
)

// tools are our own. It is a function because the tools refer to what refers to them.
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
