package domain

import "time"

// Handling says who answers a thread next. Exactly one party does, and every change raises the thread's epoch.
type Handling string

const (
	HandlingAgent   Handling = "agent"   // the bound agent answers
	HandlingWaiting Handling = "waiting" // a person is wanted and none has come
	HandlingHuman   Handling = "human"   // a person has it; agents are silent
	HandlingClosed  Handling = "closed"  // resolved; the visitor's next message opens it again
)

// moves lists which handling may follow which. The SQL CHECK holds the names, this table the moves.
var moves = map[Handling][]Handling{
	HandlingAgent:   {HandlingWaiting, HandlingHuman, HandlingClosed},
	HandlingWaiting: {HandlingHuman, HandlingAgent, HandlingClosed},
	HandlingHuman:   {HandlingAgent, HandlingWaiting, HandlingClosed, HandlingHuman}, // human → human: a colleague takes over
	HandlingClosed:  {HandlingAgent, HandlingHuman},
}

// May reports whether a thread may go from h to next.
func (h Handling) May(next Handling) bool {
	for _, m := range moves[h] {
		if m == next {
			return true
		}
	}
	return false
}

// Valid reports whether h is one of the four.
func (h Handling) Valid() bool { _, ok := moves[h]; return ok }

// ChannelWebchat is the channel of Parley's own widget.
const ChannelWebchat = "webchat"

// Thread is one conversation with one contact over one channel.
type Thread struct {
	ID             ThreadID `bun:",pk"`
	OrgID          OrgID
	ContactID      ContactID `bun:",nullzero"`
	WidgetID       WidgetID  `bun:",nullzero"` // empty for channels without a widget
	AgentID        AgentID   `bun:",nullzero"` // for channels without a widget; with one, the widget's binding decides
	Channel        string
	CorrelationKey string // contact:{id}:{channel}, unique in the organisation, so that a returning visitor resumes
	Handling       Handling
	Epoch          int64     // raised by every change of Handling or AssigneeID
	AssigneeID     UserID    `bun:",nullzero"` // the person who has it, with HandlingHuman
	LastSeq        int64     // seq of the newest message; 0 = nothing was said yet
	LastInbound    int64     // seq of the newest line of the contact
	Answered       int64     // the contact's lines up to this seq have their answer
	VisitorRead    int64     // the contact has seen up to here
	TeamRead       int64     // somebody of the organisation has seen up to here
	Notes          int64     // what only the team sees has come so often: remarks and drafts, which have no seq
	LastMessageAt  time.Time `bun:",nullzero"`
	Title          string    // what the contact calls it; empty: nothing
	WaitDue        time.Time `bun:",nullzero"` // when whoever waits here is to be told what happens next; zero = nobody waits, or they were told
	OfferedAt      time.Time `bun:",nullzero"` // its agent keeps the contact waiting: people may take it, the agent still answers
	WaitedAt       time.Time `bun:",nullzero"` // the contact was told that nobody has come
	Labels         []string  `bun:",array"`
	MergedInto     ThreadID  `bun:",nullzero"` // its lines are that thread's now; it is only a signpost
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Unread counts the messages nobody of the organisation has seen.
func (t Thread) Unread() int64 { return max(0, t.LastSeq-t.TeamRead) }

// Begun reports whether anything was said; until then the visitor's side does not know of the thread.
func (t Thread) Begun() bool { return t.LastSeq > 0 }
