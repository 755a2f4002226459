package domain

import (
	"encoding/json"
	"time"
)

// TimelineKind names what happened; the REST API uses the same words.
type TimelineKind string

const (
	MessageReceived  TimelineKind = "message_received"
	DuplicateIgnored TimelineKind = "duplicate_ignored"
	DispatchQueuedAt TimelineKind = "dispatch_queued"
	DispatchExtended TimelineKind = "dispatch_extended"
	DispatchSkip     TimelineKind = "dispatch_skipped"
	TurnStarted      TimelineKind = "turn_started"
	ModelCall        TimelineKind = "model_call"
	ToolCall         TimelineKind = "tool_call"
	ToolResult       TimelineKind = "tool_result"
	SuggestionStored TimelineKind = "suggestion_stored"
	SuggestionUsed   TimelineKind = "suggestion_used"
	SuggestionEdited TimelineKind = "suggestion_edited"
	SuggestionGone   TimelineKind = "suggestion_discarded"
	ReplyStored      TimelineKind = "reply_stored"
	ReplySuppressed  TimelineKind = "reply_suppressed"
	TurnFailure      TimelineKind = "turn_failed"
	RetryScheduled   TimelineKind = "retry_scheduled"
	DispatchDied     TimelineKind = "dispatch_dead"
	Delivered        TimelineKind = "delivered"
	DeliveryDied     TimelineKind = "delivery_dead"
	Read             TimelineKind = "read"
	HandedOff        TimelineKind = "handed_off"
	HumanJoined      TimelineKind = "human_joined"
	HandedBack       TimelineKind = "handed_back"
	NoteAdded        TimelineKind = "note_added"
	Rated            TimelineKind = "rated"
	Closed           TimelineKind = "closed"
	Reopened         TimelineKind = "reopened"
	ThreadJoined     TimelineKind = "thread_joined"  // lines of another thread of the same person were appended
	FormSubmitted    TimelineKind = "form_submitted" // the visitor told something of themselves
)

// TimelineItem is one entry of a thread's flight recorder.
type TimelineItem struct {
	At         time.Time       `json:"at"`
	Kind       TimelineKind    `json:"kind"`
	MessageID  MessageID       `json:"message_id,omitempty"`
	DispatchID DispatchID      `json:"dispatch_id,omitempty"`
	TurnID     TurnID          `json:"turn_id,omitempty"`
	Detail     json.RawMessage `json:"detail"`
}
