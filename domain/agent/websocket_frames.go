package agent

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"

	"github.com/parley-chat/parley/domain"
)

// The frames that Parley and an external agent exchange, as a pure codec.

// protocolTime is RFC 3339 in UTC with milliseconds.
const protocolTime = "2006-01-02T15:04:05.000Z07:00"

type chatMessage struct {
	Type string          `json:"type"`
	Data chatMessageData `json:"data"`
}

type chatMessageData struct {
	MessageID      string      `json:"message_id"`
	InboxID        string      `json:"inbox_id"`
	ConversationID string      `json:"conversation_id"`
	Content        string      `json:"content"`
	Sender         chatSender  `json:"sender"`
	Context        chatContext `json:"context"`
	ResponseMode   string      `json:"response_mode"`
}

type chatSender struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Type  string `json:"type"`
}

type chatContext struct {
	Channel    string         `json:"channel"`
	CreatedAt  string         `json:"created_at"` // of the newest pending line
	Attributes chatAttributes `json:"additional_attributes"`
}

type chatAttributes struct {
	Messages []chatLine      `json:"messages,omitempty"`    // the pending lines one by one, when there are several
	Files    []File          `json:"attachments,omitempty"` // of all pending lines
	Page     *domain.Page    `json:"page,omitempty"`
	Profile  json.RawMessage `json:"profile,omitempty"`
	Phone    string          `json:"phone,omitempty"`
	TurnID   string          `json:"turn_id,omitempty"`

	origin json.RawMessage // what the conversation's own system says of it, an object
}

// MarshalJSON is what Parley says, and whatever else the conversation's own system does.
func (a chatAttributes) MarshalJSON() ([]byte, error) {
	type plain chatAttributes
	ours, err := json.Marshal(plain(a))
	if err != nil || len(a.origin) == 0 {
		return ours, err
	}
	all := map[string]json.RawMessage{}
	if json.Unmarshal(a.origin, &all) != nil {
		return ours, nil
	}
	err = json.Unmarshal(ours, &all) // ours count where both say something
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

type chatLine struct {
	MessageID string `json:"message_id"`
	Content   string `json:"content"`
	CreatedAt string `json:"created_at"`
}

// encodeChatMessage is the one frame a turn sends. It fails if the turn has no pending lines.
func encodeChatMessage(r TurnRequest) ([]byte, error) {
	lines := pendingLines(r)
	if len(lines) == 0 {
		return nil, errNothingPending
	}
	last := lines[len(lines)-1]
	m := chatMessage{Type: "chat_message", Data: chatMessageData{
		MessageID:      string(last.ID),
		InboxID:        string(r.InboxID),
		ConversationID: string(r.ThreadID),
		Content:        joinLines(lines),
		Sender:         chatSender{ID: string(r.ContactID), Name: r.Contact.Name, Email: r.Contact.Email, Type: "contact"},
		Context: chatContext{
			Channel:    r.Channel,
			CreatedAt:  last.CreatedAt.UTC().Format(protocolTime),
			Attributes: chatAttributes{Page: r.Page, Profile: r.Profile, Phone: r.Contact.Phone, TurnID: string(r.TurnID)},
		},
		ResponseMode: "async",
	}}
	name := func(l Line) string { return string(l.ID) }
	if o := r.Origin; o != nil {
		name = func(l Line) string { return cmp.Or(o.MessageIDs[l.ID], string(l.ID)) }
		m.Data.MessageID, m.Data.InboxID, m.Data.ConversationID = name(last), o.InboxID, o.ConversationID
		m.Data.Sender.ID, m.Data.Context.Channel = cmp.Or(o.SenderID, m.Data.Sender.ID), cmp.Or(o.Channel, m.Data.Context.Channel)
		m.Data.Context.Attributes.origin = o.Attributes
	}
	for _, l := range lines {
		m.Data.Context.Attributes.Files = append(m.Data.Context.Attributes.Files, l.Attachments...)
	}
	if len(lines) > 1 {
		for _, l := range lines {
			m.Data.Context.Attributes.Messages = append(m.Data.Context.Attributes.Messages,
				chatLine{MessageID: name(l), Content: l.Text(), CreatedAt: l.CreatedAt.UTC().Format(protocolTime)})
		}
	}
	return json.Marshal(m)
}

// inbound is what a frame of the agent means to the exchange. The zero value means nothing: it is ignored.
type inbound struct {
	kind  string          // type of the frame, for the log
	pong  json.RawMessage // to be sent back at once
	fault *string         // the agent reports an error, in its words; possibly none
	reply Reply           // Content is empty without an answer
	final bool            // nothing follows
}

// answerFrame has the fields that matter, of a wrapped answer, a bare one and its wrapper alike. Unknown ones are ignored,
// and so are odd types in those that Parley can do without.
type answerFrame struct {
	Type         string          `json:"type"`
	Data         json.RawMessage `json:"data"`
	Content      *string         `json:"content"`
	ContentType  any             `json:"content_type"`
	ResponseType any             `json:"response_type"`
	IsFinal      any             `json:"is_final"`
	Success      any             `json:"success"`
	ErrorMessage any             `json:"error_message"`
	Message      any             `json:"message"`
	Error        any             `json:"error"`
	Metadata     json.RawMessage `json:"metadata"`
}

var (
	errNotJSON   = errors.New("not JSON")
	errNotAFrame = errors.New("JSON of another shape")
)

// decodeFrame reads one frame. It fails with errNotJSON, or with errNotAFrame when type or content are not what they must be.
func decodeFrame(data []byte) (inbound, error) {
	var outer answerFrame
	if !json.Valid(data) {
		return inbound{}, errNotJSON
	}
	if json.Unmarshal(data, &outer) != nil || strings.TrimSpace(string(data)) == "null" {
		return inbound{}, errNotAFrame
	}
	var inner answerFrame
	if isObject(outer.Data) && json.Unmarshal(outer.Data, &inner) != nil {
		return inbound{}, errNotAFrame
	}
	in := inbound{kind: outer.Type}
	switch outer.Type {
	case "ping":
		in.pong = pongFor(data)
		return in, nil
	case "error":
		in.fault = firstFault(inner, outer)
		return in, nil
	case "", "chat_message":
	default: // a type of a later version
		return in, nil
	}
	if outer.Success == false || inner.Success == false {
		in.fault = firstFault(inner, outer)
		return in, nil
	}
	body := outer
	if outer.Content == nil && inner.Content != nil {
		body = inner
	}
	if body.Content != nil {
		in.reply.Content = strings.TrimSpace(domain.Storable(*body.Content))
	}
	if body.ContentType == string(domain.Markdown) {
		in.reply.ContentType = domain.Markdown
	}
	in.final = outer.isFinal() || inner.isFinal()
	return in, nil
}

func (f answerFrame) isFinal() bool {
	var metadata struct {
		IsFinal any `json:"is_final"`
	}
	if isObject(f.Metadata) {
		_ = json.Unmarshal(f.Metadata, &metadata) // cannot fail: any takes everything
	}
	return f.ResponseType == "final" || f.ResponseType == "sync" || f.IsFinal == true || metadata.IsFinal == true
}

// firstFault finds the agent's own words about its error in the places where agents put them.
func firstFault(frames ...answerFrame) *string {
	for _, f := range frames {
		for _, place := range []any{f.ErrorMessage, f.Error, f.Message} {
			if object, ok := place.(map[string]any); ok {
				place = object["message"]
			}
			if words, ok := place.(string); ok && strings.TrimSpace(words) != "" {
				return &words
			}
		}
	}
	return new(string)
}

// pongFor is the ping with another type, so that whatever the agent put in to recognise it by comes back.
func pongFor(ping []byte) json.RawMessage {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(ping, &fields) != nil {
		return json.RawMessage(`{"type":"pong"}`)
	}
	fields["type"] = json.RawMessage(`"pong"`)
	pong, err := json.Marshal(fields)
	if err != nil {
		return json.RawMessage(`{"type":"pong"}`)
	}
	return pong
}

func isObject(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '{' }
