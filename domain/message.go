package domain

import "time"

// AuthorKind says which side of the conversation speaks.
type AuthorKind string

const (
	AuthorVisitor AuthorKind = "visitor"
	AuthorAgent   AuthorKind = "agent"
	AuthorHuman   AuthorKind = "human"
	AuthorSystem  AuthorKind = "system"
)

// Author is who said a line, as everyone may see it.
type Author struct {
	Kind      AuthorKind `json:"kind"`
	Name      string     `json:"name"`
	AvatarURL string     `json:"avatar_url,omitempty" bun:"-"`
}

// ContentType says how a message's content is to be shown.
type ContentType string

const (
	Text     ContentType = "text"
	Markdown ContentType = "markdown"
)

// Direction is a message's way as seen from the organisation.
type Direction string

const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Note     Direction = "note" // for the team only; never leaves to the contact
)

// Citation is a knowledge article an answer rests on.
type Citation struct {
	Title   string `json:"title"`
	URL     string `json:"url,omitempty"`
	Snippet string `json:"snippet"`

	// External marks what an agent outside this program named by itself. Everything else was found in that turn.
	External bool `json:"external,omitempty"`
}

// Message is one line of a thread. Seq counts 1, 2, 3 … within the thread without a hole; messages never change.
type Message struct {
	ID          MessageID `bun:",pk"`
	OrgID       OrgID
	ThreadID    ThreadID
	Seq         int64
	ClientID    string    // the sender's own id for it, which makes sending idempotent; empty for agents
	SessionID   SessionID `bun:",nullzero"` // of the visitor's line
	Direction   Direction
	Author      Author `bun:"embed:author_"`
	AuthorID    string // user or agent id; empty for visitors and system lines
	Content     string
	ContentType ContentType
	Citations   []Citation   `bun:"type:jsonb"`
	Attachments []Attachment `bun:"type:jsonb,nullzero"`
	TurnID      TurnID       `bun:",nullzero"` // the turn that produced it, for an agent's line
	CreatedAt   time.Time
}

// MaxMessageChars bounds a visitor's or person's line, in Unicode code points after trimming.
const MaxMessageChars = 4000
