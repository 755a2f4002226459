package domain

import "time"

// Widget is an embeddable chat of an organisation.
type Widget struct {
	ID                  WidgetID `bun:",pk"`
	OrgID               OrgID
	Key                 string // public, wid_ + 22 base62 chars
	Name                string
	Enabled             bool     // off: the chat is not shown and refuses everyone
	AgentID             AgentID  `bun:",nullzero"` // empty: nobody answers but people
	WebchatEnabled      bool     // the trigger; off: messages are taken, no agent is asked
	AllowedOrigins      []string `bun:",array"`
	DailyCap            int      // visitor's lines per thread and UTC day; 0 = no cap
	RateMessages        int      // visitor's lines per thread in RateWindow
	RateWindowSecs      int
	RequireIdentity     bool
	IdentitySecret      string            `bun:"-"`         // sealed at rest
	PreviousSecret      string            `bun:"-"`         // of before the last rotation; sealed at rest
	PreviousUntil       time.Time         `bun:",nullzero"` // until when the previous one is still good; zero: it is not
	FallbackText        string            // what the visitor reads when the agent failed for good
	HandoffAfterSeconds int               // whoever waits for a person that long is told what happens next
	WaitingText         string            // in these words; empty = ours, in the contact's language
	AttachmentsEnabled  bool              // visitors may send files
	Appearance          Appearance        `bun:"type:jsonb"`
	Hours               *Hours            `bun:"type:jsonb"` // when people are there; nil: nothing is promised
	OfflineForm         bool              // while nobody is there, a visitor without a conversation gets a form instead
	Texts               map[string]string `bun:"type:jsonb"` // the owner's wording, by WidgetTexts

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Defaults of a new widget.
const (
	DefaultRateMessages   = 20
	DefaultRateWindowSecs = 60
	DefaultDailyCap       = 500
	DefaultFallbackText   = "Sorry, I could not answer that just now. A person from our team will take a look."
)

// Appearance is how a widget looks and what it asks. All of it is public.
type Appearance struct {
	Title           string   `json:"title"`
	Greeting        string   `json:"greeting"`
	PrimaryColor    string   `json:"primary_color"`     // #rrggbb
	TextColor       string   `json:"text_color"`        // #rrggbb, on the primary colour
	Position        string   `json:"position"`          // bottom_right | bottom_left
	Locale          string   `json:"locale"`            // BCP 47; empty = the browser's
	ContactInfoMode string   `json:"contact_info_mode"` // none | optional | required
	Collect         []string `json:"collect"`           // of name, email, phone
}

// Values of Appearance.
const (
	BottomRight = "bottom_right"
	BottomLeft  = "bottom_left"

	ContactInfoNone     = "none"
	ContactInfoOptional = "optional"
	ContactInfoRequired = "required"
)
