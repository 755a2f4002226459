package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
)

// Message is one line of a thread.
type Message struct {
	Seq         int64             `json:"seq" doc:"Counts 1, 2, 3 … within the thread, without a hole." example:"7"`
	ID          string            `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ThreadID    string            `json:"thread_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ClientID    string            `json:"client_id,omitempty" doc:"The sender's own id for it." example:"6f0c2c9e-5d0a-4b7e-9a3b-1c2d3e4f5a6b"`
	Direction   string            `json:"direction" enum:"inbound,outbound" doc:"As seen from the organisation." example:"outbound"`
	Author      Author            `json:"author"`
	Content     string            `json:"content" example:"It is on its way and arrives tomorrow."`
	ContentType string            `json:"content_type" enum:"text,markdown" example:"text"`
	Citations   []domain.Citation `json:"citations,omitempty" doc:"The articles an agent's answer rests on."`
	Attachments []Attachment      `json:"attachments,omitempty" doc:"The files that came with it."`
	CreatedAt   Time              `json:"created_at"`
}

// Author is who said a line, as everyone may see it.
type Author struct {
	Kind      string `json:"kind" enum:"visitor,agent,human,system" example:"human"`
	Name      string `json:"name" example:"Acme"`
	AvatarURL string `json:"avatar_url,omitempty"`
}

// messageAt shows messages to programs that find this server at origin.
func messageAt(origin string) func(domain.Message) Message {
	return func(m domain.Message) Message {
		shown := showMessage(m)
		for _, a := range domain.AttachmentsAt(origin, m.Attachments) {
			shown.Attachments = append(shown.Attachments, showAttachment(a))
		}
		return shown
	}
}

func showMessage(m domain.Message) Message {
	return Message{
		Seq: m.Seq, ID: string(m.ID), ThreadID: string(m.ThreadID), ClientID: m.ClientID, Direction: string(m.Direction),
		Author: showAuthor(m.Author), Content: m.Content, ContentType: string(m.ContentType), Citations: m.Citations, CreatedAt: Time(m.CreatedAt),
	}
}

func showAuthor(a domain.Author) Author { return Author{string(a.Kind), a.Name, a.AvatarURL} }

// Note is a remark that only the team sees. It has no seq: what contacts see must not have holes.
type Note struct {
	ID          string `json:"id" format:"uuid" doc:"Of its event in the ledger." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c12"`
	ThreadID    string `json:"thread_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Direction   string `json:"direction" enum:"note" example:"note"`
	Author      Author `json:"author"`
	Content     string `json:"content" example:"She called as well."`
	ContentType string `json:"content_type" enum:"text" example:"text"`
	CreatedAt   Time   `json:"created_at"`
}

// Speaker is the name under which a program writes.
type Speaker struct {
	Name string `json:"name,omitempty" maxLength:"80" doc:"Without one, the organisation's." example:"Grace"`
}

// MessageCreate is the body that writes to the contact.
type MessageCreate struct {
	Content  *string `json:"content,omitempty" doc:"1 to 4000 characters, plain text; needed unless there are attachments." example:"It is on its way and arrives tomorrow."`
	ClientID string  `json:"client_id,omitempty" doc:"Your own id for it, a UUID is best: sent again with the same one, the message is not stored twice." example:"6f0c2c9e-5d0a-4b7e-9a3b-1c2d3e4f5a6b"`
	Author   Speaker `json:"author,omitzero"`

	Attachments []string `json:"attachments,omitempty" maxItems:"5" doc:"Files to send along, by the ids that POST /attachments has answered with; each can be sent once." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c13"`

	SuggestionID string `json:"suggestion_id,omitempty" format:"uuid" doc:"The draft that this has come of, if it has; the timeline then tells what was changed."`
}

// NoteCreate is the body that leaves a note.
type NoteCreate struct {
	Content string  `json:"content" doc:"1 to 4000 characters." example:"She called as well."`
	Author  Speaker `json:"author,omitzero"`
}

type listMessagesRequest struct {
	Path
	Paging
	AfterSeq int64 `query:"after_seq" minimum:"0" doc:"Only messages with a higher seq." example:"0"`
}

type createMessageRequest struct {
	Path
	IdempotencyKey string        `header:"Idempotency-Key" hidden:"true"`
	Body           MessageCreate `example:"{\"content\":\"It is on its way and arrives tomorrow.\",\"client_id\":\"6f0c2c9e-5d0a-4b7e-9a3b-1c2d3e4f5a6b\",\"author\":{\"name\":\"Grace\"}}"`
}

type createNoteRequest struct {
	Path
	Body NoteCreate
}

// createdMessage is 201 for a new message and 200 for one that was there.
type createdMessage struct {
	Status int
	Body   Message
}

func (a *API) messageOperations() {
	const tag = tagMessages
	add(a, operation(http.MethodGet, "/threads/{id}/messages", "list-messages", tag, "List a thread's messages",
		"What contacts see of the thread, the oldest first. Notes stand in the timeline."), a.listMessages)
	write := creates(operation(http.MethodPost, "/threads/{id}/messages", "create-message", tag, "Write to the contact",
		"A person's reply: it takes the thread over from its agent, opens it if it was closed, and reaches the contact at once."))
	write.Responses = map[string]*huma.Response{strconv.Itoa(http.StatusOK): {
		Description: "A message with this `client_id` is in the thread already: this one.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Message](), true, "")}},
	}}
	add(a, write, a.createMessage)
	add(a, creates(operation(http.MethodPost, "/threads/{id}/notes", "create-note", tag, "Leave a note for the team",
		"It stands in the timeline as `note_added` and never leaves to the contact.")), a.createNote)
}

func (a *API) listMessages(ctx context.Context, in *listMessagesRequest) (*Answer[List[Message]], error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	after := in.AfterSeq
	if in.Cursor != "" {
		seq, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || seq < 0 {
			return nil, badCursor()
		}
		after = max(after, seq)
	}
	limit := in.limit()
	ms, err := a.Chat.Messages(ctx, callerOf(ctx).scope(), id, after, limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(ms) > limit {
		ms = ms[:limit]
		next = strconv.FormatInt(ms[limit-1].Seq, 10)
	}
	return list(ms, messageAt(a.origin(ctx)), next), nil
}

func (a *API) createMessage(ctx context.Context, in *createMessageRequest) (*createdMessage, error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	files, err := chat.AttachmentIDs(in.Body.Attachments)
	if err != nil {
		return nil, err
	}
	if in.Body.Content == nil && len(files) == 0 {
		return nil, domain.InvalidField("content", "is needed")
	}
	draft, err := parseField[domain.TurnID]("suggestion_id", in.Body.SuggestionID)
	if err != nil {
		return nil, err
	}
	m, duplicate, err := a.Chat.ReplyFrom(ctx, callerOf(ctx).voice(in.Body.Author.Name), id, in.clientID(), in.content(), draft, files...)
	show := messageAt(a.origin(ctx))
	switch {
	case err != nil:
		return nil, err
	case duplicate:
		return &createdMessage{http.StatusOK, show(m)}, nil
	}
	return &createdMessage{http.StatusCreated, show(m)}, nil
}

func (in *createMessageRequest) content() string {
	if in.Body.Content == nil {
		return ""
	}
	return *in.Body.Content
}

// clientID is the sender's, or one that an Idempotency-Key stands for, so that the message is stored once even if the process
// dies between storing it and remembering the answer; else one of its own.
func (in *createMessageRequest) clientID() string {
	derived := ""
	if in.IdempotencyKey != "" {
		sum := sha256.Sum256([]byte(in.ID + "\x00" + in.IdempotencyKey + "\x00" + in.content() + "\x00" + strings.Join(in.Body.Attachments, "\x00")))
		derived = "key:" + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return cmp.Or(in.Body.ClientID, derived, uuid.NewString())
}

func (a *API) createNote(ctx context.Context, in *createNoteRequest) (*Answer[Note], error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	who := callerOf(ctx).program()
	who.Name = cmp.Or(in.Body.Author.Name, who.Name)
	event, at, err := a.Chat.AddNote(ctx, who, id, in.Body.Content)
	if err != nil {
		return nil, err
	}
	return &Answer[Note]{Note{
		ID: string(event), ThreadID: in.ID, Direction: string(domain.Note), Author: Author{Kind: string(domain.AuthorHuman), Name: who.Name},
		Content: strings.TrimSpace(in.Body.Content), ContentType: string(domain.Text), CreatedAt: Time(at),
	}}, nil
}
