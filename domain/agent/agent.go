// Package agent gives agents their voice: one Runtime per kind, each turning a thread's history into replies. It must never
// touch the ledger, decide who may speak, or retry: that is the dispatcher's. It knows only the turn it was handed.
package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
)

// Runtime is one way of answering. A Runtime is safe for concurrent use and keeps nothing between turns.
type Runtime interface {
	// Turn answers r.Pending. It may send replies early through the sink and returns the last one in its Result, so that the
	// caller can store it together with the turn's end. It honours ctx, and fails with *Failure.
	Turn(ctx context.Context, r TurnRequest, sink Sink) (Result, error)
}

// Sink takes what a turn produces before it ends. Its methods may be called from one goroutine at a time.
type Sink interface {
	// Delta shows the visitor a piece of the coming reply. A hint: it may be lost.
	Delta(text string)
	// Think shows who wants to see it a piece of what the agent thinks before it answers. A hint too, and never part of a message.
	Think(text string)
	// Reply stores and delivers a message at once. It fails if the thread has changed hands; the turn should then end with that error.
	Reply(ctx context.Context, r Reply) error
	// Step records what the turn did, for the flight recorder.
	Step(s Step)
}

// Reply is one outbound message. Content is never blank.
type Reply struct {
	Content     string             `json:"content"`
	ContentType domain.ContentType `json:"content_type,omitempty"` // empty = text
	Citations   []domain.Citation  `json:"citations,omitempty"`
}

// Result is how a turn ended. A turn without a reply and without a handoff is a failed one, unless it sent replies through the sink.
type Result struct {
	Reply   *Reply
	Handoff *Handoff // the agent wants a person to take over, after Reply
	Usage   Usage
}

// Handoff asks for a person.
type Handoff struct {
	Reason string `json:"reason"`
}

// Usage is what a turn cost.
type Usage struct {
	PromptTokens     int     `json:"prompt_tokens"`
	CompletionTokens int     `json:"completion_tokens"`
	CostUSD          float64 `json:"cost_usd"`
}

// Step is one entry of the flight recorder: a model call, a tool call or its result.
type Step struct {
	Kind   domain.TimelineKind // model_call, tool_call, tool_result
	After  time.Duration       // since the turn began
	Detail map[string]any      // no secrets
}

// TurnRequest is all an agent learns about the conversation. Its JSON is part of the public protocol.
type TurnRequest struct {
	TurnID         domain.TurnID   `json:"turn_id"`
	ThreadID       domain.ThreadID `json:"thread_id"`
	Channel        string          `json:"channel"`
	Agent          Self            `json:"agent"`
	IsOwner        bool            `json:"is_owner"`       // always false for visitors
	Classification string          `json:"classification"` // PUBLIC
	Messages       []Line          `json:"messages"`       // oldest first, the last lines of the thread
	Pending        []int64         `json:"pending"`        // seqs of the lines this turn is to answer
	Contact        Contact         `json:"contact"`
	Handover       *Handover       `json:"handover,omitempty"` // a person has spoken since the agent last did
	Profile        json.RawMessage `json:"profile,omitempty"`
	Page           *domain.Page    `json:"page,omitempty"`
	Replay         bool            `json:"replay,omitempty"` // nobody hears the answer: do nothing that lasts

	OrgID     domain.OrgID     `json:"-"` // scope of knowledge searches
	InboxID   domain.WidgetID  `json:"-"` // what the websocket runtime calls inbox_id
	ContactID domain.ContactID `json:"-"`
	SessionID domain.SessionID `json:"-"` // whose budget the turn spends; empty: the thread's
	Origin    *Origin          `json:"-"` // what the websocket runtime says in place of Parley's own ids; nil: nothing
}

// Origin is what the conversation is called in the system it came from, as services know it that were made for that one.
type Origin struct {
	InboxID        string
	ConversationID string
	SenderID       string
	Channel        string
	Attributes     json.RawMessage             // an object; may be empty
	MessageIDs     map[domain.MessageID]string // of the pending lines
}

// session names the purse of a turn.
func (r TurnRequest) session() string { return cmp.Or(string(r.SessionID), string(r.ThreadID)) }

// Handover says that a person of the team had the thread and gave it back: what they said is in the messages, and need not be
// said again.
type Handover struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`    // of their last line
	Lines []int64   `json:"lines"` // seqs of what people of the team said since the agent last spoke
}

// Self is the agent as it knows itself.
type Self struct {
	ID   domain.AgentID `json:"id"`
	Name string         `json:"name"`
}

// MarshalJSON gives the time the protocol's milliseconds.
func (h Handover) MarshalJSON() ([]byte, error) {
	type plain Handover
	return json.Marshal(struct {
		plain
		At string `json:"at"`
	}{plain(h), h.At.UTC().Format(protocolTime)})
}

// Line is a message as agents see it.
type Line struct {
	ID        domain.MessageID `json:"-"`
	Seq       int64            `json:"seq"`
	Author    domain.Author    `json:"author"`
	Content   string           `json:"content"` // blank in a line that is nothing but files
	CreatedAt time.Time        `json:"created_at"`

	Attachments []File `json:"attachments,omitempty"`
}

// MarshalJSON gives the time the protocol's milliseconds.
func (l Line) MarshalJSON() ([]byte, error) {
	type plain Line
	return json.Marshal(struct {
		plain
		CreatedAt string `json:"created_at"`
	}{plain(l), l.CreatedAt.UTC().Format(protocolTime)})
}

// File is an attachment as agents see it. Whoever has its URL may read it.
type File struct {
	Name string `json:"name"`
	Mime string `json:"mime"`
	Size int64  `json:"size"` // bytes
	URL  string `json:"url"`
}

// Text is what a line says, for agents that read nothing but words: its content, or of files alone their names.
func (l Line) Text() string {
	if l.Content != "" || len(l.Attachments) == 0 {
		return l.Content
	}
	names := make([]string, len(l.Attachments))
	for i, f := range l.Attachments {
		names[i] = f.Name
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// Contact is what agents may know of whom they talk with.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// Failure is a turn that did not come off. Reason is one short sentence for the timeline, without secrets.
type Failure struct {
	Reason     string
	Permanent  bool              // trying again cannot help: bad configuration, a refused request
	RetryAfter time.Duration     // the other side asked to be left alone for so long; 0 = it said nothing of the kind
	Fault      domain.Fault      // whose it is; empty: the agent's own
	Skip       domain.SkipReason // a guard stopped the turn before it had done anything: it is no attempt, but skipped
	Err        error
}

func (f *Failure) Error() string {
	if f.Err != nil {
		return f.Reason + ": " + f.Err.Error()
	}
	return f.Reason
}

func (f *Failure) Unwrap() error { return f.Err }

// Knowledge finds passages of one organisation's articles, best first. It returns none, not an error, when nothing fits.
type Knowledge interface {
	Search(ctx context.Context, org domain.OrgID, query string, limit int) ([]domain.Passage, error)
}

// ErrNotExecuted is how a port says that nothing was done because the turn is a replay. The model is told that all is well.
var ErrNotExecuted = errors.New("not executed in a replay")

// Contacts keeps what a contact says about themselves. Empty arguments leave a field as it is.
type Contacts interface {
	SetContactDetails(ctx context.Context, org domain.OrgID, contact domain.ContactID, name, email, phone string) error
}

// Purse is what an organisation's agents may spend. Hold sets money aside before a call that costs; it fails with
// *domain.OverBudget when there is not enough. Settle replaces the hold by what the call has cost, once.
type Purse interface {
	Hold(ctx context.Context, s domain.Spending) (hold string, err error)
	Settle(ctx context.Context, org domain.OrgID, hold string, usd float64) error
}
