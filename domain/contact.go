package domain

import (
	"encoding/json"
	"time"
)

// Contact is a person we talk with. It is a stub until they say who they are.
type Contact struct {
	ID         ContactID `bun:",pk"`
	OrgID      OrgID
	ExternalID string `bun:",nullzero"` // the site's own id for them, proven by an identity signature
	Name       string
	Email      string
	Phone      string
	Stub       bool
	OptedOut   bool
	Profile    json.RawMessage `bun:"type:jsonb"`
	CreatedAt  time.Time
	UpdatedAt  time.Time
	ErasedAt   time.Time `bun:",nullzero"` // all they said and were was erased; zero = it was not
}

// Session is one browser's visit to one widget. Its token is known only to the browser; we keep the hash.
type Session struct {
	ID          SessionID `bun:",pk"`
	OrgID       OrgID
	WidgetID    WidgetID
	ContactID   ContactID
	Identified  bool            // bound by a good identity signature
	Page        Page            `bun:"type:jsonb"`
	Attribution json.RawMessage `bun:"type:jsonb"`
	Trail       []Step          `bun:"type:jsonb"` // the pages they came through, oldest first, the last MaxTrail
	Locale      string
	Timezone    string
	ThreadID    ThreadID `bun:",nullzero"` // the one conversation it is about; empty: the contact's only one
	AskedFor    string   // what the client called whom it wanted to talk to, with a conversation of its own
	CreatedAt   time.Time
	LastSeenAt  time.Time
	ExpiresAt   time.Time // 90 days after it was last used
}

// SessionLifetime is how long an unused session token stays good.
const SessionLifetime = 90 * 24 * time.Hour

// MaxTrail bounds a session's trail.
const MaxTrail = 50

// Step is a page that a visitor was on.
type Step struct {
	URL   string    `json:"url"`
	Title string    `json:"title,omitempty"`
	At    time.Time `json:"at"`
}

// Page is where the visitor is.
type Page struct {
	URL      string `json:"url,omitempty"`
	Title    string `json:"title,omitempty"`
	Referrer string `json:"referrer,omitempty"`
}
