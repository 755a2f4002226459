package dialect

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Frame is Dialect's. Whatever has a time in this dialect brings it along.
func (p Parley) Frame(e Event, _ time.Time) []byte { return p.Encode(e) }

// Encode writes an event as a frame, without a newline. What an event does not have is left out, but for a session's thread,
// whose id is null before the first message.
func (p Parley) Encode(e Event) []byte {
	return encode(p.wire(e))
}

// encode writes what every dialect's frames are, a JSON value on one line, in UTF-8: browsers close over a frame that is not, and raw
// JSON of others may hold what is none. v can be encoded.
func encode(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // frames are no HTML, and people write < and &
	_ = enc.Encode(v)
	return bytes.ToValidUTF8(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\uFFFD"))
}

// wire is what an event looks like on the wire. All of it can be encoded.
func (p Parley) wire(e Event) any {
	switch e := e.(type) {
	case Session:
		w := parleySession{Type: "session", SessionID: e.ID, Resumed: e.Resumed, ServerTime: stamp(e.Now)}
		w.Thread.LastSeq, w.Thread.Handling = e.LastSeq, e.Handling
		if e.Thread != "" {
			w.Thread.ID = &e.Thread
		}
		return w
	case Line:
		return p.line(e.Message)
	case Ack:
		return parleyAck{"ack", e.ClientID, e.ID, e.Seq, e.Duplicate, stamp(e.CreatedAt)}
	case Writing:
		return parleyTyping{"typing", e.On, domain.Author{Kind: e.Author.Kind, Name: e.Author.Name}}
	case Delta:
		return parleyDelta{"delta", e.TurnID, e.Index, e.Content}
	case Status:
		w := parleyStatus{Type: "status", Handling: e.Handling, Available: e.Available, Ask: e.Ask}
		if e.Assignee != "" {
			w.Assignee = &parleyPerson{Name: e.Assignee}
		}
		return w
	case Seen:
		return parleyRead{"read", e.Seq}
	case Failure:
		return parleyError{"error", e.Code, e.Message, e.ClientID, milliseconds(e.RetryAfter)}
	case Pong:
		if !json.Valid(e.T) {
			e.T = nil
		}
		return parleyPong{"pong", e.T}
	case Bye:
		return parleyBye{"bye", e.Reason, milliseconds(e.ReconnectAfter)}
	}
	return nil // there is no other event
}

// line shows a client_id only with visitors' lines: what the team's programs call theirs is none of the visitor's business.
func (p Parley) line(m domain.Message) parleyMessage {
	w := parleyMessage{Type: "message", Seq: m.Seq, ID: m.ID, Author: m.Author, Content: m.Content, ContentType: m.ContentType,
		Citations: m.Citations, Attachments: domain.AttachmentsAt(p.Origin, m.Attachments), CreatedAt: stamp(m.CreatedAt)}
	if m.Author.Kind == domain.AuthorVisitor {
		w.ClientID = m.ClientID
	}
	return w
}

type (
	parleySession struct {
		Type      string           `json:"type"`
		SessionID domain.SessionID `json:"session_id"`
		Resumed   bool             `json:"resumed"`
		Thread    struct {
			ID       *domain.ThreadID `json:"id"`
			LastSeq  int64            `json:"last_seq"`
			Handling domain.Handling  `json:"handling"`
		} `json:"thread"`
		ServerTime stamp `json:"server_time"`
	}
	parleyMessage struct {
		Type        string              `json:"type"`
		Seq         int64               `json:"seq"`
		ID          domain.MessageID    `json:"id"`
		ClientID    string              `json:"client_id,omitempty"`
		Author      domain.Author       `json:"author"`
		Content     string              `json:"content"`
		ContentType domain.ContentType  `json:"content_type"`
		Citations   []domain.Citation   `json:"citations,omitempty"`
		Attachments []domain.Attachment `json:"attachments,omitempty"`
		CreatedAt   stamp               `json:"created_at"`
	}
	parleyAck struct {
		Type      string           `json:"type"`
		ClientID  string           `json:"client_id"`
		ID        domain.MessageID `json:"id"`
		Seq       int64            `json:"seq"`
		Duplicate bool             `json:"duplicate"`
		CreatedAt stamp            `json:"created_at"`
	}
	parleyTyping struct {
		Type   string        `json:"type"`
		On     bool          `json:"on"`
		Author domain.Author `json:"author"`
	}
	parleyDelta struct {
		Type    string        `json:"type"`
		TurnID  domain.TurnID `json:"turn_id"`
		Index   int           `json:"index"`
		Content string        `json:"content"`
	}
	parleyStatus struct {
		Type      string          `json:"type"`
		Handling  domain.Handling `json:"handling"`
		Available bool            `json:"available"`
		Assignee  *parleyPerson   `json:"assignee,omitempty"`
		Ask       []string        `json:"ask,omitempty"`
	}
	parleyPerson struct {
		Name string `json:"name"`
	}
	parleyRead struct {
		Type string `json:"type"`
		Seq  int64  `json:"seq"`
	}
	parleyError struct {
		Type         string      `json:"type"`
		Code         domain.Code `json:"code"`
		Message      string      `json:"message"`
		ClientID     string      `json:"client_id,omitempty"`
		RetryAfterMS int64       `json:"retry_after_ms,omitempty"`
	}
	parleyPong struct {
		Type string          `json:"type"`
		T    json.RawMessage `json:"t,omitempty"`
	}
	parleyBye struct {
		Type             string    `json:"type"`
		Reason           ByeReason `json:"reason"`
		ReconnectAfterMS int64     `json:"reconnect_after_ms"`
	}
)

// milliseconds rounds up: who waits as long as they are told has waited long enough.
func milliseconds(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

// Stamp writes a time as the protocol does: RFC 3339, UTC, milliseconds.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

type stamp time.Time

func (s stamp) MarshalText() ([]byte, error) { return []byte(Stamp(time.Time(s))), nil }
