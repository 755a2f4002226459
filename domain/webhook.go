package domain

import (
	"encoding/json"
	"time"
)

// Webhook is an address of the organisation's that is told, signed and until it has taken it, what happens in its threads.
type Webhook struct {
	ID             WebhookID `bun:",pk"`
	OrgID          OrgID
	URL            string
	Kinds          []TimelineKind `bun:",array"` // what it is told of; empty = everything
	Enabled        bool
	DisabledReason string    // why Parley switched it off; empty = nobody did, or its owners
	FailingSince   time.Time `bun:",nullzero"` // nothing but failures since then; zero = the last attempt arrived
	PreviousUntil  time.Time `bun:",nullzero"` // until when the secret before the last rotation signs as well
	CreatedAt      time.Time
	UpdatedAt      time.Time

	Secret   string `bun:"-"` // where it is read for signing, or was just made
	Previous string `bun:"-"` // the one before, while it still signs
}

// WebhookPatience is how long a webhook may do nothing but fail before it is switched off.
const WebhookPatience = 3 * 24 * time.Hour

// WebhookKinds are the kinds of what happens that webhooks are told of: those that stand in the ledger of events. What goes on
// within a turn, step by step, stands in the thread's timeline only.
func WebhookKinds() []TimelineKind {
	return []TimelineKind{
		MessageReceived, DuplicateIgnored, DispatchQueuedAt, DispatchExtended, DispatchSkip, DispatchDied, ReplyStored, ReplySuppressed,
		SuggestionUsed, SuggestionEdited, SuggestionGone, Read, HandedOff, HumanJoined, HandedBack, NoteAdded, Rated, Closed, Reopened,
		ThreadJoined, FormSubmitted,
	}
}

// Wants reports whether a webhook is told of a kind.
func (w Webhook) Wants(kind TimelineKind) bool {
	for _, k := range w.Kinds {
		if k == kind {
			return true
		}
	}
	return len(w.Kinds) == 0
}

// Told is what a webhook is told of one happening.
type Told struct {
	ID      EventID         `json:"id"` // of the happening: every webhook is told the same one
	Kind    TimelineKind    `json:"kind"`
	At      string          `json:"at"` // UTC with milliseconds
	Thread  ToldThread      `json:"thread"`
	Message *ToldMessage    `json:"message,omitempty"` // the line it is about
	Detail  json.RawMessage `json:"detail"`
}

// ToldThread is the thread right after it happened.
type ToldThread struct {
	ID        ThreadID  `json:"id"`
	Channel   string    `json:"channel"`
	Handling  Handling  `json:"handling"`
	ContactID ContactID `json:"contact_id"`
}

// ToldMessage is a line as the API shows it.
type ToldMessage struct {
	Seq         int64        `json:"seq"`
	ID          MessageID    `json:"id"`
	ThreadID    ThreadID     `json:"thread_id"`
	ClientID    string       `json:"client_id,omitempty"`
	Direction   Direction    `json:"direction"`
	Author      Author       `json:"author"`
	Content     string       `json:"content"`
	ContentType ContentType  `json:"content_type"`
	Citations   []Citation   `json:"citations,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"` // their addresses get this server's in front when they are sent
	CreatedAt   string       `json:"created_at"`
}

const toldTime = "2006-01-02T15:04:05.000Z"

// Tell says of a happening what webhooks are told. m is the line it is about, nil if it is about none.
func Tell(id EventID, kind TimelineKind, at time.Time, t Thread, m *Message, detail json.RawMessage) Told {
	told := Told{ID: id, Kind: kind, At: at.UTC().Format(toldTime), Detail: detail,
		Thread: ToldThread{ID: t.ID, Channel: t.Channel, Handling: t.Handling, ContactID: t.ContactID}}
	if m != nil {
		told.Message = &ToldMessage{Seq: m.Seq, ID: m.ID, ThreadID: m.ThreadID, ClientID: m.ClientID, Direction: m.Direction, Author: m.Author,
			Content: m.Content, ContentType: m.ContentType, Citations: m.Citations, Attachments: m.Attachments, CreatedAt: m.CreatedAt.UTC().Format(toldTime)}
	}
	return told
}

// WebhookDelivery is an entry of a webhook's log.
type WebhookDelivery struct {
	ID           DeliveryID
	ThreadID     ThreadID        `bun:",nullzero"`
	Payload      json.RawMessage `bun:"type:jsonb"`
	Kind         TimelineKind
	Status       string // queued, running, done or dead
	Attempts     int
	LastError    string
	AnswerStatus int    // 0 = it has said nothing
	Answer       string // the first of what it said
	DueAt        time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
}
