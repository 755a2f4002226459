package mcp

import (
	"cmp"
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/handlers/edge"
)

// Reply is what reply wants.
type Reply struct {
	ThreadName
	Content  string `json:"content" jsonschema:"what the visitor reads, plain text, 1 to 4000 characters"`
	Name     string `json:"name,omitempty" jsonschema:"the name the visitor sees beside it, at most 80 characters; the organisation's if not given"`
	ClientID string `json:"client_id,omitempty" jsonschema:"your own id for this message, at most 64 characters: called again with the same one, nothing is said twice"`
}

// Replied is what came of it.
type Replied struct {
	Message   Message `json:"message"`
	Duplicate bool    `json:"duplicate,omitempty" jsonschema:"true: a message with this client_id was there already, and nothing was said again"`
	Thread    Thread  `json:"thread"`
}

// Note is what add_note wants.
type Note struct {
	ThreadName
	Content string `json:"content" jsonschema:"what the team reads, 1 to 4000 characters; the visitor never sees it"`
}

// Noted is what came of it.
type Noted struct {
	NoteID string `json:"note_id"`
	At     string `json:"at"`
}

func (s *Surface) messageTools(server *mcp.Server) {
	add(s, server, tool{name: "reply", title: "Reply to the visitor", effect: talks,
		about: "Writes to the visitor, who reads it at once and cannot unread it. It takes the conversation over: its AI agent is silent from then on, until hand_back. A closed conversation opens again."}, s.reply)
	add(s, server, tool{name: "add_note", title: "Leave a note for the team", effect: adds,
		about: "Leaves a note that only the team sees, in the conversation's timeline. It changes nothing else."}, s.addNote)
}

func (s *Surface) reply(ctx context.Context, in Reply) (Replied, error) {
	name := strings.TrimSpace(in.Name)
	if utf8.RuneCountInString(name) > 80 || strings.ContainsFunc(name, unicode.IsControl) {
		return Replied{}, domain.InvalidField("name", "must be one line of at most 80 characters")
	}
	t, err := s.conversation(ctx, in.ThreadID)
	if err != nil {
		return Replied{}, err
	}
	c := callerOf(ctx)
	m, duplicate, err := s.Chat.Reply(ctx, c.voice(name), domain.ThreadID(t.ID), cmp.Or(in.ClientID, uuid.NewString()), in.Content)
	if err != nil {
		return Replied{}, err
	}
	t, err = s.conversation(ctx, in.ThreadID)
	return Replied{showMessage(edge.Origin(s.PublicURL, c.request), m), duplicate, t}, err
}

func (s *Surface) addNote(ctx context.Context, in Note) (Noted, error) {
	t, err := s.conversation(ctx, in.ThreadID)
	if err != nil {
		return Noted{}, err
	}
	id, at, err := s.Chat.AddNote(ctx, callerOf(ctx).program(), domain.ThreadID(t.ID), in.Content)
	return Noted{string(id), moment(at)}, err
}
