package domain

import (
	"encoding/json"
	"slices"
	"time"
)

// Event is an entry of the append-only ledger: something that happened in a thread, once under its channel, kind and external id.
type Event struct {
	ID         EventID
	ThreadID   ThreadID
	Channel    string // team and agent are Parley's own
	Kind       TimelineKind
	ExternalID string
	MessageID  MessageID  `bun:",nullzero"`
	DispatchID DispatchID `bun:",nullzero"`
	TurnID     TurnID     `bun:",nullzero"`
	Detail     json.RawMessage
	CreatedAt  time.Time
	Ord        int64 // order among an organisation's events
}

// Activity is an event as the organisation's feed tells it: with whom, and what was said.
type Activity struct {
	Event         `bun:",extend"`
	ThreadChannel string
	Handling      Handling  // as it is now
	ContactID     ContactID `bun:",nullzero"`
	ContactName   string
	Seq           int64 // of the message it is about; 0 = none
	AuthorKind    AuthorKind
	AuthorName    string
	Content       string // how the message begins
}

// FeedKinds are what an organisation's feed tells of: what people and agents did, and nothing of the machinery between them. Kinds that
// other channels name themselves are told as well.
func FeedKinds() []TimelineKind {
	return slices.DeleteFunc(WebhookKinds(), func(k TimelineKind) bool {
		switch k {
		case DuplicateIgnored, DispatchQueuedAt, DispatchExtended, DispatchSkip, Read, ReplySuppressed:
			return true
		}
		return false
	})
}
