package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
)

// EventCreate is the body that records an event.
type EventCreate struct {
	Channel    string       `json:"channel" maxLength:"64" doc:"How it came: the name of a channel, created or not." example:"sms"`
	Kind       string       `json:"kind,omitempty" maxLength:"64" doc:"What it is: message, or a word of your own. Whatever has payload.content is a line of the contact; the rest is only recorded." default:"message" example:"message"`
	ExternalID string       `json:"external_id" maxLength:"200" doc:"The channel's own id for it: sent again with the same channel and kind, it is not recorded twice." example:"SM4711"`
	Contact    EventContact `json:"contact,omitzero" doc:"Who it is from: found by external_id, then by e-mail address, then by phone number, else made. What was not known of them is filled in."`
	AgentID    string       `json:"agent_id,omitempty" format:"uuid" doc:"Who is to answer; without one, the channel's agent."`
	Payload    EventPayload `json:"payload,omitempty" doc:"content, 1 to 10000 characters, is what the contact says. Whatever else there is is kept with the event, up to 64 KiB."`
}

// EventContact is who an event is from.
type EventContact struct {
	ExternalID string `json:"external_id,omitempty" maxLength:"200" example:"customer-4711"`
	Name       string `json:"name,omitempty" maxLength:"200" example:"Grace Hopper"`
	Email      string `json:"email,omitempty" maxLength:"254" example:"grace@example.com"`
	Phone      string `json:"phone,omitempty" maxLength:"40" example:"+15550100"`
}

// EventPayload is what an event tells.
type EventPayload json.RawMessage

func (p *EventPayload) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(p).UnmarshalJSON(b) }
func (EventPayload) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Properties: map[string]*huma.Schema{
		"content": {Type: huma.TypeString, Nullable: true, Description: "What the contact says."},
	}, Examples: []any{map[string]any{"content": "Where is my parcel?"}}}
}

// split is what the contact says, and the rest.
func (p EventPayload) split() (content string, rest json.RawMessage, err error) {
	var all map[string]json.RawMessage
	if len(p) == 0 || json.Unmarshal(p, &all) != nil || all == nil {
		return "", nil, nil
	}
	if err := json.Unmarshal(all["content"], &content); len(all["content"]) > 0 && err != nil {
		return "", nil, domain.InvalidField("payload.content", "must be text")
	}
	if delete(all, "content"); len(all) > 0 {
		rest, err = json.Marshal(all)
	}
	return content, rest, err
}

// EventRecorded is what became of an event.
type EventRecorded struct {
	EventID   string        `json:"event_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c15"`
	ThreadID  string        `json:"thread_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	MessageID string        `json:"message_id,omitempty" format:"uuid" doc:"Of the line, if there is one." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c16"`
	Dispatch  EventDispatch `json:"dispatch"`
}

// EventDispatch is what an event led to.
type EventDispatch struct {
	ID         string `json:"id,omitempty" format:"uuid" doc:"Of the dispatch it is part of." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c17"`
	Status     string `json:"status" enum:"queued,skipped" doc:"queued: an agent is asked, with what else comes in the same burst. skipped: none is." example:"queued"`
	SkipReason string `json:"skip_reason,omitempty" doc:"Why none is: cross_org, contact_unresolved, opted_out, empty_body, trigger_off, no_agent, agent_disabled, human_handling." example:""`
}

type createEventRequest struct {
	Body EventCreate `example:"{\"channel\":\"sms\",\"kind\":\"message\",\"external_id\":\"SM4711\",\"contact\":{\"name\":\"Grace Hopper\",\"phone\":\"+15550100\"},\"payload\":{\"content\":\"Where is my parcel?\"}}"`
}

type createdEvent struct {
	Status int
	Body   EventRecorded
}

// MessageUnasked is the body that writes to a contact who has not asked.
type MessageUnasked struct {
	ContactID      string  `json:"contact_id,omitempty" format:"uuid" doc:"Whom to write to; or" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ExternalID     string  `json:"external_id,omitempty" maxLength:"200" doc:"your own id for them; or" example:"customer-4711"`
	ConversationID string  `json:"conversation_id,omitempty" maxLength:"64" doc:"the thread to write in, or a Chatwoot's own id of a conversation." example:""`
	Channel        string  `json:"channel,omitempty" maxLength:"64" doc:"Over which channel; without one, that of their latest thread, else webchat." example:"webchat"`
	Content        string  `json:"content" doc:"1 to 4000 characters, plain text." example:"Your parcel has arrived."`
	ClientID       string  `json:"client_id,omitempty" doc:"Your own id for it: sent again with the same one, the message is not stored twice."`
	Author         Speaker `json:"author,omitzero"`
}

type createUnaskedRequest struct {
	IdempotencyKey string         `header:"Idempotency-Key" hidden:"true"`
	Body           MessageUnasked `example:"{\"external_id\":\"customer-4711\",\"content\":\"Your parcel has arrived.\"}"`
}

func (a *API) eventOperations() {
	record := creates(operation(http.MethodPost, "/events", "create-event", tagEvents, "Record an event of any channel",
		"What a channel tells: a message of a contact, or anything else. A message goes to the agent that the event or its channel names; why none is asked is in the "+
			"answer. Replies go to the channel's `reply_url` as `POST {event: \"message\", message, thread, contact, channel}`, one after another in each thread, signed in "+
			"`X-Parley-Signature` if the channel has a secret, and tried for a day."))
	record.Responses = map[string]*huma.Response{strconv.Itoa(http.StatusOK): {
		Description: "It is recorded already under this channel, kind and external_id: these are the first one's ids.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[EventRecorded](), true, "")}},
	}}
	add(a, record, a.createEvent)
	a.eventLists()
	write := creates(operation(http.MethodPost, "/messages", "create-unasked-message", tagMessages, "Write without being asked",
		"Says something to a contact over any channel, in the thread that there is or a new one. It takes nothing over: the agent goes on to answer what the contact "+
			"says to it. A contact who has opted out is not written to (409)."))
	write.Responses = map[string]*huma.Response{strconv.Itoa(http.StatusOK): {
		Description: "A message with this `client_id` is in the thread already: this one.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Message](), true, "")}},
	}}
	write.Errors = []int{http.StatusNotFound}
	add(a, write, a.createUnasked)
}

func (a *API) createEvent(ctx context.Context, in *createEventRequest) (*createdEvent, error) {
	agent, err := parseField[domain.AgentID]("agent_id", in.Body.AgentID)
	if err != nil {
		return nil, err
	}
	content, rest, err := in.Body.Payload.split()
	if err != nil {
		return nil, err
	}
	r, err := a.Chat.Record(ctx, callerOf(ctx).scope(), chat.Event{Channel: in.Body.Channel, Kind: in.Body.Kind, ExternalID: in.Body.ExternalID,
		Contact: ledger.Identifiers(in.Body.Contact), AgentID: agent, Content: content, Payload: rest})
	if err != nil {
		return nil, err
	}
	out := &createdEvent{http.StatusCreated, EventRecorded{EventID: string(r.ID), ThreadID: string(r.ThreadID), MessageID: string(r.MessageID),
		Dispatch: EventDispatch{ID: string(r.DispatchID), Status: "queued"}}}
	if r.Skip != "" {
		out.Body.Dispatch.Status, out.Body.Dispatch.SkipReason = "skipped", string(r.Skip)
	}
	if r.Duplicate {
		out.Status = http.StatusOK
	}
	return out, nil
}

func (a *API) createUnasked(ctx context.Context, in *createUnaskedRequest) (*createdMessage, error) {
	u := chat.Unasked{ExternalID: in.Body.ExternalID, Channel: in.Body.Channel, Content: in.Body.Content}
	given := 0
	for _, s := range []string{in.Body.ContactID, in.Body.ExternalID, in.Body.ConversationID} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return nil, domain.InvalidField("contact_id", "or external_id or conversation_id is needed, and only one of them")
	}
	var err error
	if u.ContactID, err = parseField[domain.ContactID]("contact_id", in.Body.ContactID); err != nil {
		return nil, err
	}
	if u.ThreadID, err = domain.ParseID[domain.ThreadID](in.Body.ConversationID); err != nil {
		u.Conversation = in.Body.ConversationID
	}
	derived := ""
	if in.IdempotencyKey != "" {
		sum := sha256.Sum256([]byte(in.IdempotencyKey + "\x00" + in.Body.Content))
		derived = "key:" + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	u.ClientID = cmp.Or(in.Body.ClientID, derived, uuid.NewString())
	m, duplicate, err := a.Chat.Write(ctx, callerOf(ctx).voice(in.Body.Author.Name), u)
	if err != nil {
		return nil, err
	}
	out := &createdMessage{http.StatusCreated, messageAt(a.origin(ctx))(m)}
	if duplicate {
		out.Status = http.StatusOK
	}
	return out, nil
}
