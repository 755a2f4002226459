package dialect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Construct is the dialect construct.v1: people of an organisation talk to an agent, one message and one answer at a time.
type Construct struct {
	Origin string // where the client finds this server: attachments are there
}

// Names of failures in this dialect.
const (
	ConstructAgentInit   = "AGENT_INIT_FAILED"
	ConstructInvalidJSON = "INVALID_JSON"
	ConstructUnknownType = "UNKNOWN_MESSAGE_TYPE"
	ConstructEmpty       = "EMPTY_CONTENT"
	ConstructBusy        = "SESSION_BUSY"
	ConstructAccess      = "AUTH_ERROR"
	ConstructProvider    = "PROVIDER_ERROR"
	ConstructAgentError  = "AGENT_ERROR"
)

var constructCodes = map[domain.Code]string{
	domain.CodeBadJSON: ConstructInvalidJSON, domain.CodeUnknownType: ConstructUnknownType, domain.CodeEmptyContent: ConstructEmpty,
	domain.CodeUnauthorized: ConstructAccess, domain.CodeTurnInProgress: ConstructBusy, domain.CodeRateLimited: ConstructBusy,
}

// Greets is Dialect's: the server speaks first.
func (Construct) Greets() bool { return false }

// Binary is Dialect's.
func (Construct) Binary() error {
	return constructRefusal(ConstructInvalidJSON, "Invalid JSON: binary frames are not text")
}

func constructRefusal(name, msg string) *Refused {
	return &Refused{Name: name, Err: &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadField, Msg: msg}}
}

// UnknownConstruct refuses a frame of a type that is not understood, or not any more.
func UnknownConstruct(kind string) *Refused {
	return constructRefusal(ConstructUnknownType, fmt.Sprintf(`Unsupported message type "%s". Send {"type":"message","content":"your text"}`, kind))
}

// Decode reads a client's frame.
func (Construct) Decode(frame []byte) (Command, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(frame, &whole); err != nil {
		return nil, constructRefusal(ConstructInvalidJSON, "Invalid JSON: "+err.Error())
	}
	var f fields
	_ = json.Unmarshal(whole, &f) // what is no object has no type
	switch kind := f.text("type"); kind {
	case "message":
		content := f.text("content")
		if strings.TrimSpace(content) == "" {
			return nil, constructRefusal(ConstructEmpty, "Message content cannot be empty")
		}
		return Ask{Content: content, Stream: true}, nil
	case "connect":
		return Connect{}, nil
	default:
		return nil, UnknownConstruct(kind)
	}
}

// Frame is Dialect's.
func (d Construct) Frame(e Event, _ time.Time) []byte {
	if w := d.wire(e); w != nil {
		return encode(w)
	}
	return nil
}

func (d Construct) wire(e Event) wire {
	switch e := e.(type) {
	case Start:
		w := wire{"type": "session_start", "session_id": e.SessionID, "resumed": e.Messages > 0, "message_count": e.Messages}
		if e.Name != "" {
			w["name"] = e.Name
		}
		return w
	case Connected:
		return wire{"type": "connected", "message": "Connection established"}
	case Accepted:
		return wire{"type": "operator_status", "phase": "started", "detail": "the agent has your message"}
	case Alive:
		return wire{"type": "operator_status", "phase": "working", "detail": "the agent is still working"}
	case Token:
		if e.Thought {
			return wire{"type": "thinking", "content": e.Content}
		}
		return wire{"type": "chunk", "content": e.Content}
	case ToolCalled:
		return wire{"type": "tool_call", "name": e.Name, "args": orNull(e.Arguments)}
	case ToolReturned:
		return wire{"type": "tool_result", "name": e.Name, "output": plain(e.Result)}
	case Restarted:
		return wire{"type": "chunk_reset"}
	case Answer:
		parts := make([]string, len(e.Messages))
		for i, m := range e.Messages {
			parts[i] = withLinks(d.Origin, m)
		}
		return wire{"type": "done", "full_response": strings.Join(parts, "\n\n")}
	case Line:
		return wire{"type": "agent_event", "event": wire{
			"type": "agent.message", "agentId": e.AuthorID, "agentTitle": e.Author.Name, "timestamp": stamp(e.CreatedAt),
			"content": wire{"text": withLinks(d.Origin, e.Message), "author": e.Author.Kind},
		}}
	case Failure:
		return wire{"type": "error", "message": e.Message, "code": cmp.Or(e.Name, constructCodes[e.Code], ConstructAgentError)}
	}
	return nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if !json.Valid(raw) {
		return json.RawMessage("null")
	}
	return raw
}

// plain is a tool's result as text, which is all that clients can show: a text as it is, anything else as JSON.
func plain(raw json.RawMessage) string {
	var s string
	switch {
	case len(raw) == 0, string(raw) == "null", !json.Valid(raw):
		return ""
	case json.Unmarshal(raw, &s) == nil:
		return s
	}
	return string(raw)
}
