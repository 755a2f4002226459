// Package dialect speaks wire protocols: it turns a client's frames into commands and events into frames for the client. Its
// codecs are pure: no I/O, no goroutine, no clock. It must never decide what a command leads to or who may give it.
package dialect

import (
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Dialect is one wire protocol. What its clients expect of a connection beyond frames is the business of whoever serves them.
type Dialect interface {
	// Decode reads a client's frame. A nil command without an error asks for nothing. It fails with *Refused.
	Decode(frame []byte) (Command, error)
	// Binary is what Decode would say to a binary frame.
	Binary() error
	// Frame writes an event of the given time as a frame, without a newline; nil when the dialect has no frame for it.
	Frame(e Event, at time.Time) []byte
	// Greets reports whether a client has to say Hello before anything else.
	Greets() bool
}

// Command is what a client asks for: one of the types of this package that say so.
type Command interface{ command() }

type (
	// Hello begins: the client has everything up to AfterSeq and wants what comes after it.
	Hello struct {
		AfterSeq     int64
		Thread       string   // the thread whose seq that is; empty: whichever it is now
		Capabilities []string // what the client understands beyond plain frames; unknown ones do no harm
	}
	// Message is something said. ClientID makes saying it again harmless.
	Message struct {
		ClientID    string
		Content     string
		Attachments []string // ids of files sent before
	}
	// Typing says that the visitor has begun or stopped to write.
	Typing struct{ On bool }
	// Read says that the visitor has seen everything up to Seq.
	Read struct{ Seq int64 }
	// Identify is the site's word for who the visitor is.
	Identify struct{ Identity Identity }
	// Page says where the visitor is now.
	Page struct{ URL, Title string }
	// Handoff asks for a person.
	Handoff struct{}
	// Rating is the visitor's mark for the conversation.
	Rating struct {
		Score   int
		Comment string
	}
	// Ping wants a Pong with the same T, any JSON value or nothing, and the same RequestID.
	Ping struct {
		T         json.RawMessage
		RequestID string
	}
)

func (Hello) command()    {}
func (Message) command()  {}
func (Typing) command()   {}
func (Read) command()     {}
func (Identify) command() {}
func (Page) command()     {}
func (Handoff) command()  {}
func (Rating) command()   {}
func (Ping) command()     {}

// CapabilityDelta is what a client says that wants pieces of a reply while it is being written.
const CapabilityDelta = "delta"

// Identity is what a site signs for its visitor.
type Identity struct {
	UserID    string `json:"user_id"`
	Name      string `json:"name"`
	Email     string `json:"email"`
	Timestamp int64  `json:"timestamp"` // Unix seconds
	Signature string `json:"signature"` // lower-case hex
}

// withLinks is a message for clients that know no attachments: what it says, and below it where each file is.
func withLinks(origin string, m domain.Message) string {
	content := m.Content
	for _, a := range domain.AttachmentsAt(origin, m.Attachments) {
		if content != "" {
			content += "\n"
		}
		content += a.URL
	}
	return content
}

// Event is what a client is told: one of the types of this package that say so.
type Event interface{ event() }

type (
	// Session answers Hello. An empty Thread is one in which nothing was said yet.
	Session struct {
		ID       domain.SessionID
		Resumed  bool // there is a conversation to go on with
		Thread   domain.ThreadID
		LastSeq  int64
		Handling domain.Handling
		Now      time.Time
	}
	// Line is a message of the thread.
	Line struct{ domain.Message }
	// Ack says that what the client said is stored.
	Ack struct {
		ClientID  string
		ID        domain.MessageID
		Seq       int64
		Duplicate bool // it was stored before
		CreatedAt time.Time
	}
	// Writing says that somebody else has begun or stopped to write.
	Writing struct {
		On     bool
		Author domain.Author
	}
	// Delta is a piece of a reply that is still being written.
	Delta struct {
		TurnID  domain.TurnID
		Index   int // from 0 within the turn
		Content string
	}
	// Status says who answers next.
	Status struct {
		Handling  domain.Handling
		Available bool     // somebody or something is there to answer
		Assignee  string   // the person who has the thread; empty: none
		Ask       []string // what the visitor is asked to tell, because they have waited and nobody has come: email
	}
	// Seen says that the other side has read up to Seq.
	Seen struct{ Seq int64 }
	// Failure is why a command led to nothing.
	Failure struct {
		Code       domain.Code
		Name       string // the dialect's own name for it; empty: what it calls Code
		Message    string
		ClientID   string        // of the message it is about, if it is about one
		RetryAfter time.Duration // 0: not worth trying again, or at once
	}
	// Pong answers Ping.
	Pong struct {
		T         json.RawMessage
		RequestID string
	}
	// Bye announces the end of the connection.
	Bye struct {
		Reason         ByeReason
		ReconnectAfter time.Duration
	}
)

func (Session) event() {}
func (Line) event()    {}
func (Ack) event()     {}
func (Writing) event() {}
func (Delta) event()   {}
func (Status) event()  {}
func (Seen) event()    {}
func (Failure) event() {}
func (Pong) event()    {}
func (Bye) event()     {}

// ByeReason says why the server ends a connection.
type ByeReason string

const (
	Drain    ByeReason = "drain"    // the server stops; others take over
	Expired  ByeReason = "expired"  // the session is over
	Disabled ByeReason = "disabled" // the widget was switched off
)

// Refused is why a frame is no command. It unwraps to the *domain.Error that says what to do.
type Refused struct {
	ClientID string // what the sender calls it, where that could be read
	Type     string // of the frame, likewise
	Name     string // what the dialect calls the failure; empty: it goes by the error's code
	Err      error
}

func (r *Refused) Error() string { return r.Err.Error() }

func (r *Refused) Unwrap() error { return r.Err }

// ErrHelloRequired answers whatever comes before Hello.
var ErrHelloRequired = &domain.Error{Kind: domain.Conflict, Code: domain.CodeHelloRequired, Msg: `say {"type":"hello","after_seq":0} first`}

// ErrBinary answers a binary frame.
var ErrBinary = &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "binary frames are not understood here: send JSON as text"}
