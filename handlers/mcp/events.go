package mcp

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
)

// Event is what record_and_dispatch wants.
type Event struct {
	Channel    string         `json:"channel" jsonschema:"where it happened, any name of at most 64 characters such as sms or mail; team and agent are Parley's own"`
	Kind       string         `json:"kind,omitempty" jsonschema:"what happened, in the channel's own word; message if not given"`
	ExternalID string         `json:"external_id" jsonschema:"the channel's own id for it: under the same channel and kind it is recorded once"`
	Contact    EventContact   `json:"contact" jsonschema:"whom it is from: found by external_id, email or phone, or made"`
	AgentID    string         `json:"agent_id,omitempty" jsonschema:"UUID of the AI agent that is to answer; the channel's if not given"`
	Content    string         `json:"content,omitempty" jsonschema:"what the contact said; without it the event is recorded and nobody is asked to answer"`
	Payload    map[string]any `json:"payload,omitempty" jsonschema:"what else there is to it, kept with the event; its content is taken for content if that is not given"`
}

// EventContact is whom an event is from.
type EventContact struct {
	ExternalID string `json:"external_id,omitempty" jsonschema:"the organisation's own id for them"`
	Name       string `json:"name,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`
}

// Recorded is what became of it.
type Recorded struct {
	EventID    string `json:"event_id"`
	ThreadID   string `json:"thread_id" jsonschema:"UUID of the conversation it stands in"`
	MessageID  string `json:"message_id,omitempty" jsonschema:"of the line, if the contact said something"`
	Status     string `json:"status" jsonschema:"queued: an AI agent is asked; skipped: none is, and skip_reason says why"`
	SkipReason string `json:"skip_reason,omitempty" jsonschema:"cross_org, contact_unresolved, opted_out, empty_body, trigger_off, no_agent, agent_disabled or human_handling"`
	Duplicate  bool   `json:"duplicate,omitempty" jsonschema:"true: it was recorded already, and these are the first one's ids"`
}

func (s *Surface) eventTools(server *mcp.Server) {
	add(s, server, tool{name: "record_and_dispatch", title: "Record an event and ask its agent", effect: arrives,
		about: "Records something that happened on another channel, such as a message of a contact that came by SMS, and asks the AI agent that answers there, or says why none is asked. Sent again with the same channel, kind and external_id it changes nothing."}, s.record)
}

func (s *Surface) record(ctx context.Context, in Event) (Recorded, error) {
	e := chat.Event{Channel: in.Channel, Kind: in.Kind, ExternalID: in.ExternalID, Contact: ledger.Identifiers(in.Contact), Content: in.Content}
	if in.AgentID != "" {
		id, err := domain.ParseID[domain.AgentID](in.AgentID)
		if err != nil {
			return Recorded{}, domain.InvalidField("agent_id", "is not an id")
		}
		e.AgentID = id
	}
	if said, there := in.Payload["content"]; there && in.Content == "" { // where the API has it
		text, ok := said.(string)
		if !ok {
			return Recorded{}, domain.InvalidField("payload", "has a content that is no text")
		}
		e.Content = text
		delete(in.Payload, "content")
	}
	if len(in.Payload) > 0 {
		raw, err := json.Marshal(in.Payload)
		if err != nil {
			return Recorded{}, domain.InvalidField("payload", "cannot be kept")
		}
		e.Payload = raw
	}
	r, err := s.Chat.Record(ctx, callerOf(ctx).scope(), e)
	if err != nil {
		return Recorded{}, err
	}
	out := Recorded{EventID: string(r.ID), ThreadID: string(r.ThreadID), MessageID: string(r.MessageID), Status: "queued", Duplicate: r.Duplicate}
	if r.Skip != "" {
		out.Status, out.SkipReason = "skipped", string(r.Skip)
	}
	return out, nil
}
