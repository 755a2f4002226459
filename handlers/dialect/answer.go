package dialect

import (
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Events of dialects in which a question gets one answer, each about the request that it names.
type (
	// Visit says where a session stands.
	Visit struct {
		RequestID    string
		Opened       bool // just now
		SessionID    string
		Conversation string
		AskedFor     string // what the client calls the agent: an id, or a widget's public key
		Agent        domain.AgentID
		AgentName    string
		Contact      domain.ContactID
		Status       string // active, idle or ended
	}
	// History is a page of what was said, newest first.
	History struct {
		RequestID string
		Visit     Visit // whose
		Messages  []domain.Message
		Next      string // cursor of the page after it; empty: this was the last
	}
	// Conversations are a visitor's conversations, newest first.
	Conversations struct {
		RequestID string
		List      []Conversation
		Next      string // cursor of the page after it; empty: this was the last
	}
	// Renamed says that a conversation has its title.
	Renamed struct {
		RequestID    string
		Conversation string
		Title        string
	}
	// Start says in which session a connection is, before anything else.
	Start struct {
		SessionID string
		Messages  int64 // said so far
		Name      string
	}
	// Connected answers Connect.
	Connected struct{}
	// Accepted says that a question is stored and will be answered.
	Accepted struct{ RequestID string }
	// Token is a piece of an answer that is being written, or of the thoughts behind it.
	Token struct {
		RequestID string
		Content   string
		Thought   bool
	}
	// Restarted says that the pieces of an answer so far are void: it is written anew.
	Restarted struct{ RequestID string }
	// ToolCalled says that the agent uses a tool.
	ToolCalled struct {
		RequestID string
		Name      string
		Arguments json.RawMessage
	}
	// ToolReturned says what the tool gave.
	ToolReturned struct {
		RequestID string
		Name      string
		Failed    bool
		Result    json.RawMessage
	}
	// Answer is what came of a question: it ends its turn. A RequestID of the server's own says that nobody had asked.
	Answer struct {
		RequestID string
		Question  domain.MessageID // what was asked
		Messages  []domain.Message
		Escalated bool   // a person is wanted or has the conversation
		Reason    string // why, if somebody said so
		Usage     Usage
	}
	// Cancelled says that a question stays without an answer, as the client wished.
	Cancelled struct{ RequestID string }
	// Alive says that a question is still being worked on.
	Alive struct{ RequestID string }
	// OTPUnknown says that no code was sent to anybody.
	OTPUnknown struct{ RequestID string }
)

func (Visit) event()         {}
func (History) event()       {}
func (Conversations) event() {}
func (Renamed) event()       {}
func (Start) event()         {}
func (Connected) event()     {}
func (Accepted) event()      {}
func (Token) event()         {}
func (Restarted) event()     {}
func (ToolCalled) event()    {}
func (ToolReturned) event()  {}
func (Answer) event()        {}
func (Cancelled) event()     {}
func (Alive) event()         {}
func (OTPUnknown) event()    {}

// Conversation is one of a visitor's.
type Conversation struct {
	ID        string
	Title     string
	UpdatedAt time.Time
	Messages  int64
}

// Usage is what an answer cost.
type Usage struct {
	PromptTokens     int     `json:"prompt_tokens"`
	CompletionTokens int     `json:"completion_tokens"`
	CostUSD          float64 `json:"cost_usd"`
}
