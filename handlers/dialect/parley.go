package dialect

import (
	"encoding/json"

	"github.com/parley-chat/parley/domain"
)

// Parley is Parley's own protocol, sections 3 and 4 of the contract.
type Parley struct {
	Origin string // where the client finds this server, such as https://chat.example.com: attachments are there
}

// Binary is Dialect's.
func (Parley) Binary() error { return ErrBinary }

// Greets is Dialect's: a client says where it was.
func (Parley) Greets() bool { return true }

// Decode reads a client's frame: a JSON object whose "type" says what it is. It is strict about the types of the values it
// needs and ignores keys it does not know; of a key that comes twice the last counts. It fails with *Refused: bad_json,
// unknown_type or bad_field.
func (p Parley) Decode(frame []byte) (Command, error) {
	in := parleyFrame{}
	if err := json.Unmarshal(frame, &in.fields); err != nil || in.fields == nil { // null is an object to encoding/json
		return nil, &Refused{Err: &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "a frame is one JSON object", Err: err}}
	}
	kind, ok := in.fields["type"]
	if !ok {
		return nil, in.refuse(unknownType("a frame needs a type"))
	}
	var name string
	if json.Unmarshal(kind, &name) != nil || string(kind) == "null" {
		return nil, in.refuse(domain.InvalidField("type", "must be a string"))
	}
	in.kind = name
	return in.command(name)
}

// DecodeBody reads a command from the body of a request whose path says its type. An empty body is an object without keys.
// It fails as Decode does.
func (p Parley) DecodeBody(kind string, body []byte) (Command, error) {
	in := parleyFrame{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in.fields); err != nil {
			return nil, &Refused{Err: &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadJSON, Msg: "the request body must be a JSON object", Err: err}}
		}
	}
	return in.command(kind)
}

func unknownType(msg string) *domain.Error {
	return &domain.Error{Kind: domain.Invalid, Code: domain.CodeUnknownType,
		Msg: msg + "; known are hello, message, typing, read, identify, page, handoff, rating and ping"}
}

// parleyFrame reads one frame's fields and keeps the first problem.
type parleyFrame struct {
	fields  map[string]json.RawMessage
	kind    string
	prefix  string // of the fields' names, where problems name them
	problem *domain.Error
}

func (f *parleyFrame) command(kind string) (Command, error) {
	var c Command
	switch kind {
	case "hello":
		c = Hello{AfterSeq: f.seq("after_seq", false), Thread: f.text("thread_id", false), Capabilities: field[[]string](f, "capabilities", "must be a list of strings", false)}
	case "message":
		files := field[[]string](f, "attachments", "must be a list of ids", false)
		c = Message{ClientID: f.text("client_id", true), Content: f.text("content", len(files) == 0), Attachments: files}
	case "typing":
		c = Typing{On: field[bool](f, "on", "must be true or false", true)}
	case "read":
		c = Read{Seq: f.seq("seq", true)}
	case "identify":
		c = Identify{Identity: f.identity()}
	case "page":
		c = Page{URL: f.text("url", true), Title: f.text("title", false)}
	case "handoff":
		c = Handoff{}
	case "rating":
		c = Rating{Score: field[int](f, "score", "must be a whole number", true), Comment: f.text("comment", false)}
	case "ping":
		c = Ping{T: f.fields["t"]}
	default:
		return nil, f.refuse(unknownType("there is no such type of frame"))
	}
	if f.problem != nil {
		return nil, f.refuse(f.problem)
	}
	return c, nil
}

// refuse names the frame by its client_id, if it has a readable one.
func (f *parleyFrame) refuse(err *domain.Error) *Refused {
	var id string
	if json.Unmarshal(f.fields["client_id"], &id) != nil {
		id = ""
	}
	return &Refused{ClientID: id, Type: f.kind, Err: err}
}

func (f *parleyFrame) text(name string, required bool) string {
	return field[string](f, name, "must be a string", required)
}

func (f *parleyFrame) seq(name string, required bool) int64 {
	n := field[int64](f, name, "must be a whole number", required)
	if n < 0 {
		f.complain(name, "must not be negative")
	}
	return n
}

func (f *parleyFrame) identity() Identity {
	in := parleyFrame{fields: field[map[string]json.RawMessage](f, "identity", "must be an object", true), prefix: "identity."}
	id := Identity{
		UserID: in.text("user_id", true), Name: in.text("name", false), Email: in.text("email", false),
		Timestamp: field[int64](&in, "timestamp", "must be a whole number of seconds", true), Signature: in.text("signature", true),
	}
	if f.problem == nil {
		f.problem = in.problem
	}
	return id
}

// field reads one field. null counts as absent.
func field[T any](f *parleyFrame, name, want string, required bool) (v T) {
	raw, ok := f.fields[name]
	if ok = ok && string(raw) != "null"; !ok && !required {
		return v
	}
	if !ok || json.Unmarshal(raw, &v) != nil {
		f.complain(name, want)
		var none T
		return none
	}
	return v
}

func (f *parleyFrame) complain(name, problem string) {
	if f.problem == nil {
		f.problem = domain.InvalidField(f.prefix+name, problem)
	}
}
