package domain

import (
	"encoding/json"
	"time"
)

// ChannelKind says what is at the other end of a channel.
type ChannelKind string

const (
	ChannelGeneric  ChannelKind = "generic"  // a program that posts events and takes replies at its reply URL
	ChannelChatwoot ChannelKind = "chatwoot" // a Chatwoot account
)

// Channel is a way by which messages travel that is not ours. Threads know it by its name.
type Channel struct {
	ID        ChannelID `bun:",pk"`
	OrgID     OrgID
	Name      string
	Kind      ChannelKind
	AgentID   AgentID         `bun:",nullzero"` // who answers; empty: people only
	Enabled   bool            // off: messages are taken, but no agent is asked and no reply leaves
	ReplyURL  string          // where replies go; empty: they stay here
	Config    json.RawMessage `bun:"type:jsonb"`
	Secret    string          `bun:"-"` // generic: signs what goes to ReplyURL; chatwoot: signs what comes from there. Empty: nothing is signed
	Token     string          `bun:"-"` // chatwoot: with which replies are posted there
	CreatedAt time.Time
	UpdatedAt time.Time
}

// OwnChannel reports whether a name is one under which Parley keeps what is its own.
func OwnChannel(name string) bool { return name == "team" || name == "agent" }
