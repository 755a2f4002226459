package dialect

import "encoding/json"

// Commands of dialects in which every frame is a request with an id of its own.
type (
	// OpenSession begins a visit, in a new conversation or in one that is known.
	OpenSession struct {
		RequestID      string
		AgentID        string // a widget's key or id, or the id of an agent
		UserName       string
		UserEmail      string
		ConversationID string // to go on with; empty: a new one
		Identity       *Identity
		IdentityFlawed bool // an identity came, but parts of it are missing
	}
	// GetSession asks where a session stands.
	GetSession struct{ RequestID, SessionID string }
	// GetMessages asks for a page of what was said, newest first.
	GetMessages struct {
		RequestID, SessionID string
		Limit                int
		Cursor               string // what Next was or, of older clients, the time before which a message was stored
	}
	// ListConversations asks for a page of the visitor's conversations.
	ListConversations struct {
		RequestID string
		Limit     int
		Cursor    string // what Next was
		Query     string // in their titles, or in what was said first; empty: all
	}
	// RenameConversation gives a conversation a title.
	RenameConversation struct{ RequestID, ConversationID, Title string }
	// Ask is something said that is to be answered before the next.
	Ask struct {
		RequestID, SessionID string
		Content              string
		Stream               bool // pieces of the answer are wanted too
	}
	// ConfirmTool says whether an agent may do what it has asked for.
	ConfirmTool struct {
		RequestID, SessionID string
		Approved             bool
	}
	// SubmitInteraction answers a form that an agent has shown.
	SubmitInteraction struct{ RequestID, SessionID string }
	// VerifyOTP gives a code that was sent to the visitor.
	VerifyOTP struct{ RequestID, SessionID string }
	// Cancel wants no answer any more to a question: that of this RequestID or, when this client has asked none, whichever is under way
	// in the session.
	Cancel struct{ RequestID, SessionID string }
	// Connect says what device a client is.
	Connect struct{}
)

func (OpenSession) command()        {}
func (GetSession) command()         {}
func (GetMessages) command()        {}
func (ListConversations) command()  {}
func (RenameConversation) command() {}
func (Ask) command()                {}
func (ConfirmTool) command()        {}
func (SubmitInteraction) command()  {}
func (VerifyOTP) command()          {}
func (Cancel) command()             {}
func (Connect) command()            {}

// IDOf is what the client calls a command; empty when it has not named it.
func IDOf(c Command) string {
	switch c := c.(type) {
	case Message:
		return c.ClientID
	case Ping:
		return c.RequestID
	case OpenSession:
		return c.RequestID
	case GetSession:
		return c.RequestID
	case GetMessages:
		return c.RequestID
	case ListConversations:
		return c.RequestID
	case RenameConversation:
		return c.RequestID
	case Ask:
		return c.RequestID
	case ConfirmTool:
		return c.RequestID
	case SubmitInteraction:
		return c.RequestID
	case VerifyOTP:
		return c.RequestID
	}
	return ""
}

// fields are the members of a JSON object, read leniently: what has another type than it should counts as absent.
type fields map[string]json.RawMessage

func (f fields) text(name string) string {
	var s string
	if json.Unmarshal(f[name], &s) != nil {
		return ""
	}
	return s
}

func (f fields) number(name string) (n int64, ok bool) {
	var v *float64
	if json.Unmarshal(f[name], &v) != nil || v == nil || *v != float64(int64(*v)) {
		return 0, false
	}
	return int64(*v), true
}

func (f fields) truth(name string) (b, ok bool) {
	var v *bool
	if json.Unmarshal(f[name], &v) != nil || v == nil {
		return false, false
	}
	return *v, true
}

func (f fields) object(name string) (fields, bool) {
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return nil, false
	}
	var o fields
	if json.Unmarshal(raw, &o) != nil {
		return nil, true
	}
	return o, true
}
