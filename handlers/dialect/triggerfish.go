package dialect

import (
	"encoding/json"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
)

// Triggerfish is the dialect of Triggerfish's WebChat channel, for one connection: each is a session of its own.
type Triggerfish struct {
	Session domain.SessionID
	Origin  string // where the client finds this server: attachments are there
}

// Greets is Dialect's: the server speaks first.
func (Triggerfish) Greets() bool { return false }

// Binary is Dialect's: nothing was asked.
func (Triggerfish) Binary() error { return nil }

// Decode reads a client's frame. What is empty, malformed or unknown asks for nothing, and what the client takes for its session
// does not matter.
func (Triggerfish) Decode(frame []byte) (Command, error) {
	var in struct {
		Type    string
		Content string
	}
	if json.Unmarshal(frame, &in) != nil {
		return nil, nil
	}
	switch {
	case in.Type == "message" && in.Content != "":
		return Message{Content: in.Content}, nil
	case in.Type == "ping":
		return Ping{}, nil
	}
	return nil, nil
}

// Frame is Dialect's. There are no acks, no errors and no echo; why a line was not taken is told as a message, because the dialect
// has nothing else to tell it with, and a line that vanishes would look like one that nobody answers.
func (d Triggerfish) Frame(e Event, _ time.Time) []byte {
	switch e := e.(type) {
	case Session:
		return encode(triggerfishFrame{Type: "session", SessionID: d.id()})
	case Line:
		if e.Author.Kind == domain.AuthorVisitor {
			return nil
		}
		return encode(triggerfishFrame{Type: "message", Content: withLinks(d.Origin, e.Message), SessionID: d.id()})
	case Failure:
		if e.Code == domain.CodeEmptyContent || e.Code == domain.CodeBadField || e.Code == domain.CodeBadJSON {
			return nil
		}
		return encode(triggerfishFrame{Type: "message", Content: sentence(e.Message), SessionID: d.id()})
	case Writing:
		if e.On {
			return encode(triggerfishFrame{Type: "typing"})
		}
	case Pong:
		return encode(triggerfishFrame{Type: "pong"})
	}
	return nil
}

// sentence makes a message to a person of the few words of an error.
func sentence(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:] + "."
}

func (d Triggerfish) id() string { return "webchat-" + string(d.Session) }

type triggerfishFrame struct {
	Type      string `json:"type"`
	Content   string `json:"content,omitempty"`
	SessionID string `json:"sessionId,omitempty"`
}
