package ledger

import (
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

// rows is what a batch writes, in the order in which it was decided.
type rows struct {
	messages   []*domain.Message
	events     []event
	dispatches []*dispatchRow
	turns      []turnRow
	steps      []step
	mails      []mailToOwners
	missed     []missable
	births     []Claim  // turns that begin with this batch
	labelled   []*state // threads with other labels
	tellings   []telling
	replies    []channelReply
}

type event struct {
	id       domain.EventID
	thread   *state
	eventKey // kind is the timeline's
	message  domain.MessageID
	dispatch domain.DispatchID
	turn     domain.TurnID
	detail   any
	at       time.Time
}

// dispatchRow is a dispatch to write: inserted if fresh, else updated.
type dispatchRow struct {
	*domain.Dispatch
	fresh bool
	at    time.Time
	lease time.Duration // of a birth
}

type turnRow struct {
	id     domain.TurnID
	status domain.TurnStatus
	err    string
	usage  json.RawMessage
	at     time.Time
}

type step struct {
	turn   domain.TurnID
	thread *state
	kind   domain.TimelineKind
	detail any
	at     time.Time
}
