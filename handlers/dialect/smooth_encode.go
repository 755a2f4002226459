package dialect

import (
	"cmp"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
)

// wire is a frame or a part of one.
type wire map[string]any

// Frame is Dialect's. What only Parley's own clients understand has no frame here.
func (s Smooth) Frame(e Event, at time.Time) []byte {
	w := s.wire(e, at)
	if w == nil {
		return nil
	}
	w["timestamp"] = at.UnixMilli()
	return encode(w)
}

func (s Smooth) wire(e Event, at time.Time) wire {
	switch e := e.(type) {
	case Pong:
		return about(e.RequestID, wire{"type": "pong", "data": wire{"timestamp": at.UnixMilli()}})
	case Failure:
		failed := wire{"code": cmp.Or(e.Name, smoothCodes[e.Code], "INTERNAL_ERROR"), "message": e.Message}
		return about(e.ClientID, wire{"type": "error", "error": failed, "data": about(e.ClientID, wire{"error": failed})})
	case Visit:
		if e.Opened {
			return immediate(e.RequestID, 200, "Session created", e.wire())
		}
		w := e.wire()
		w["threadId"], w["status"] = e.Conversation, e.Status
		return immediate(e.RequestID, 200, "Session", w)
	case History:
		return immediate(e.RequestID, 200, "ConversationMessages", e.wire(s.Origin))
	case Conversations:
		list := make([]wire, len(e.List))
		for i, c := range e.List {
			list[i] = wire{"conversationId": c.ID, "title": c.Title, "updatedAt": stamp(c.UpdatedAt), "messageCount": c.Messages}
		}
		w := wire{"conversations": list}
		if e.Next != "" { // newer clients page; absent means that there is no more
			w["nextCursor"], w["hasMore"] = e.Next, true
		}
		return immediate(e.RequestID, 200, "Conversations", w)
	case Renamed:
		return immediate(e.RequestID, 200, "Conversation renamed", wire{"conversationId": e.Conversation, "title": e.Title})
	case Accepted:
		return immediate(e.RequestID, 202, "Processing your request...", wire{})
	case OTPUnknown:
		return about(e.RequestID, wire{"type": "otp_invalid", "data": about(e.RequestID, wire{"data": wire{
			"error": "NOT_FOUND", "attemptsRemaining": 0, "message": "No code waits to be verified."}})})
	}
	return s.turn(e)
}

// turn has the events of a turn.
func (s Smooth) turn(e Event) wire {
	switch e := e.(type) {
	case Token:
		kind := "stream_token"
		if e.Thought {
			kind = "stream_reasoning"
		}
		return about(e.RequestID, wire{"type": kind, "token": e.Content, "data": about(e.RequestID, wire{"token": e.Content})})
	case ToolCalled:
		return chunk(e.RequestID, e.Name, wire{"toolCall": wire{"name": e.Name, "arguments": cmp.Or(string(e.Arguments), "{}")}})
	case ToolReturned:
		result := e.Result
		if !json.Valid(result) {
			result = json.RawMessage("null")
		}
		return chunk(e.RequestID, e.Name, wire{"toolResult": wire{"name": e.Name, "isError": e.Failed, "result": result}})
	case Answer:
		return about(e.RequestID, wire{"type": "eventual_response", "status": 200,
			"data": about(e.RequestID, wire{"status": 200, "data": s.answer(e)})})
	case Cancelled:
		return about(e.RequestID, wire{"type": "cancelled", "status": 499, "data": about(e.RequestID, wire{"status": 499})})
	case Alive:
		return about(e.RequestID, wire{"type": "keepalive", "data": about(e.RequestID, wire{})})
	}
	return nil
}

// about names the request that a part of a frame is about, if it has a name.
func about(requestID string, w wire) wire {
	if requestID != "" {
		w["requestId"] = requestID
	}
	return w
}

func immediate(requestID string, status int, message string, data wire) wire {
	return about(requestID, wire{"type": "immediate_response", "status": status, "message": message, "data": data})
}

func chunk(requestID, node string, raw wire) wire {
	return about(requestID, wire{"type": "stream_chunk", "node": node,
		"data": about(requestID, wire{"node": node, "state": wire{"rawResponse": raw}})})
}

// wire names the agent as the client does where that is an id. A widget's key is none, and there are clients that throw a whole answer
// away when something in it that should be a UUID is not: they are told the agent's own.
func (v Visit) wire() wire {
	agent := v.AskedFor
	if _, err := uuid.Parse(agent); err != nil {
		agent = string(v.Agent)
	}
	return wire{"sessionId": v.SessionID, "conversationId": v.Conversation, "agentId": agent, "agentName": v.AgentName,
		"userParticipantId": v.Contact, "agentParticipantId": v.Agent}
}

func (h History) wire(origin string) wire {
	list := make([]wire, len(h.Messages))
	for i, m := range h.Messages {
		visitor := wire{"id": h.Visit.Contact, "type": "user"}
		list[i] = wire{"id": m.ID, "direction": m.Direction, "content": wire{"text": withLinks(origin, m)}, "createdAt": stamp(m.CreatedAt)}
		if m.Author.Kind == domain.AuthorVisitor {
			visitor["name"] = m.Author.Name
			list[i]["from"], list[i]["to"] = visitor, wire{"id": h.Visit.Agent, "type": "agent", "name": h.Visit.AgentName}
			continue
		}
		from := wire{"id": cmp.Or(m.AuthorID, string(h.Visit.Agent)), "type": m.Author.Kind}
		if m.Author.Name != "" {
			from["name"] = m.Author.Name
		}
		list[i]["from"], list[i]["to"] = from, visitor
	}
	w := wire{"messages": list, "hasMore": h.Next != "", "nextCursor": nil}
	if h.Next != "" {
		w["nextCursor"] = h.Next
	}
	return w
}

func (s Smooth) answer(a Answer) wire {
	parts := make([]string, len(a.Messages))
	id := a.Question
	for i, m := range a.Messages {
		parts[i], id = withLinks(s.Origin, m), m.ID
	}
	status := "in_progress"
	if a.Escalated {
		status = "requires_escalation"
	}
	w := wire{"messageId": id, "needsEscalation": a.Escalated, "response": wire{
		"responseParts": parts, "customerHappinessScore": 0.5, "needsSatisfactionScore": 0.5, "requestSummary": "",
		"resolutionStatus": status, "suggestedNextActions": []string{},
	}}
	if a.Escalated && a.Reason != "" {
		w["escalationReason"] = a.Reason
	}
	if cs := smoothCitations(a.Messages); len(cs) > 0 {
		w["citations"] = cs
	}
	if a.Usage != (Usage{}) {
		w["usage"] = wire{"costUsd": a.Usage.CostUSD, "promptTokens": a.Usage.PromptTokens, "completionTokens": a.Usage.CompletionTokens}
	}
	return w
}

const (
	smoothCited   = 8   // sources of one answer
	smoothSnippet = 280 // characters of each
)

// smoothCitations names each source once. The score says no more than their order.
func smoothCitations(ms []domain.Message) (cs []wire) {
	known := map[string]bool{}
	for _, m := range ms {
		for _, c := range m.Citations {
			id := cmp.Or(c.URL, c.Title)
			if known[id] || len(cs) == smoothCited {
				continue
			}
			known[id] = true
			w := wire{"id": id, "title": c.Title, "snippet": cut(c.Snippet, smoothSnippet), "score": 1 / float64(len(cs)+1)}
			if c.URL != "" {
				w["url"] = c.URL
			}
			cs = append(cs, w)
		}
	}
	return cs
}

// cut shortens a text to so many characters.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}
