package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Event is something that happened on whatever channel, as a program tells it.
type Event struct {
	Channel    string
	Kind       string // empty: message
	ExternalID string // the channel's own id for it
	Contact    ledger.Identifiers
	AgentID    domain.AgentID  // who is to answer; empty: the channel's agent
	Content    string          // what the contact said; blank: they said nothing
	Payload    json.RawMessage // what else there is to it
}

// Recorded is an event that is in the ledger.
type Recorded struct {
	ledger.RecordedEvent
	Duplicate bool // it was there already: these are the first one's ids
}

const (
	kindMessage   = "message"
	maxEventKind  = 64
	maxExternalID = 200
	maxPayload    = 64 << 10 // bytes
)

// ownKinds are words of the timeline that no channel may put into Parley's mouth.
var ownKinds = []domain.TimelineKind{
	domain.DuplicateIgnored, domain.DispatchQueuedAt, domain.DispatchExtended, domain.DispatchSkip, domain.TurnStarted, domain.ModelCall, domain.ToolCall,
	domain.ToolResult, domain.SuggestionStored, domain.SuggestionUsed, domain.SuggestionEdited, domain.SuggestionGone, domain.ReplyStored, domain.ReplySuppressed,
	domain.TurnFailure, domain.RetryScheduled, domain.DispatchDied, domain.Delivered, domain.DeliveryDied, domain.Read, domain.HandedOff, domain.HumanJoined,
	domain.HandedBack, domain.NoteAdded, domain.Rated, domain.Closed, domain.Reopened, domain.ThreadJoined, domain.FormSubmitted,
}

// Record writes an event of any channel down and, if the contact said something, asks the agent for its turn or says why none is asked.
// The contact is found by their external id, e-mail address or phone number, or made.
//
// Record is idempotent: the same channel, kind and external id get the first one's ids back with Duplicate set, on any node and
// however many come at once. It fails with Invalid and a problem for every bad field, and with Unavailable.
func (s *Service) Record(ctx context.Context, org domain.OrgID, e Event) (Recorded, error) {
	e, err := e.check()
	if err != nil {
		return Recorded{}, err
	}
	for try := 1; ; try++ {
		r, err := s.record(ctx, org, e)
		if err == nil || !errors.Is(err, ledger.ErrJoined) {
			return r, err
		}
		if try == 3 {
			return Recorded{}, moved(err)
		}
	}
}

func (s *Service) record(ctx context.Context, org domain.OrgID, e Event) (Recorded, error) {
	if first, err := s.ledger.EventByKey(ctx, org, e.Channel, e.Kind, e.ExternalID); err == nil {
		return Recorded{first, true}, nil
	} else if domain.KindOf(err) != domain.NotFound {
		return Recorded{}, err
	}
	to, why, err := s.addressee(ctx, org, e)
	if err != nil {
		return Recorded{}, err
	}
	thread, err := s.ledger.EnsureChannelThread(ctx, to)
	if err != nil {
		return Recorded{}, err
	}
	out, err := s.ledger.Append(ctx, ledger.Append{OrgID: org, ThreadID: thread.ID, Change: ledger.Inbound{
		Channel: e.Channel, Kind: e.Kind, ExternalID: e.ExternalID, Content: e.Content, Payload: e.Payload, Skip: why}})
	if err != nil {
		return Recorded{}, err
	}
	r, err := s.ledger.EventByKey(ctx, org, e.Channel, e.Kind, e.ExternalID)
	return Recorded{r, out.Duplicate}, err
}

// addressee is the thread that an event belongs to, and why its agent cannot be asked.
func (s *Service) addressee(ctx context.Context, org domain.OrgID, e Event) (to ledger.ChannelThread, why domain.SkipReason, err error) {
	to = ledger.ChannelThread{OrgID: org, Channel: e.Channel}
	channel, err := s.ledger.ChannelByName(ctx, org, e.Channel)
	switch {
	case err == nil:
		to.AgentID, to.SetAgent = channel.AgentID, true
	case domain.KindOf(err) != domain.NotFound:
		return to, "", err
	}
	if e.AgentID != "" {
		has, err := s.ledger.HasAgent(ctx, org, e.AgentID)
		switch {
		case err != nil:
			return to, "", err
		case has:
			to.AgentID, to.SetAgent = e.AgentID, true
		default: // whether it is another organisation's or nobody's is not told
			why = domain.SkipCrossOrg
		}
	}
	if e.Contact.None() {
		to.Key = fmt.Sprintf("event:%s:%s:%s", e.Channel, e.Kind, e.ExternalID)
		return to, why, nil
	}
	c, err := s.ledger.ResolveContact(ctx, org, e.Contact)
	to.ContactID = c.ID
	return to, why, err
}

// check returns the event in its normal form, or what is wrong with it field by field.
func (e Event) check() (Event, error) {
	wrong := map[string]string{}
	text := func(field, s string, most int, needed bool) string {
		s = strings.TrimSpace(s)
		switch n := utf8.RuneCountInString(s); {
		case n == 0 && needed:
			wrong[field] = "is needed"
		case n > most:
			wrong[field] = fmt.Sprintf("must have at most %d characters", most)
		case !utf8.ValidString(s), strings.ContainsFunc(s, unicode.IsControl):
			wrong[field] = "must not contain control characters"
		case strings.HasSuffix(field, "external_id") && !storable(s):
			wrong[field] = "must be Unicode"
		}
		return s
	}
	if e.Channel = text("channel", e.Channel, 64, true); domain.OwnChannel(e.Channel) {
		wrong["channel"] = "is one of Parley's own"
	}
	switch e.Kind = text("kind", e.Kind, maxEventKind, false); {
	case e.Kind == "", e.Kind == kindMessage:
		e.Kind = string(domain.MessageReceived)
	case slices.Contains(ownKinds, domain.TimelineKind(e.Kind)):
		wrong["kind"] = "is one of Parley's own"
	}
	e.ExternalID = text("external_id", e.ExternalID, maxExternalID, true)
	e.Contact.ExternalID = text("contact.external_id", e.Contact.ExternalID, 200, false)
	e.Contact.Name = text("contact.name", e.Contact.Name, 200, false)
	if e.Contact.Email = text("contact.email", e.Contact.Email, 254, false); e.Contact.Email != "" {
		if a, err := mail.ParseAddress(e.Contact.Email); err != nil || a.Address != e.Contact.Email {
			wrong["contact.email"] = "is not an e-mail address"
		}
	}
	e.Contact.Phone = text("contact.phone", e.Contact.Phone, 40, false)
	e.Content = strings.TrimSpace(domain.Storable(e.Content))
	if utf8.RuneCountInString(e.Content) > MaxQuestionChars {
		wrong["payload.content"] = fmt.Sprintf("must have at most %d characters", MaxQuestionChars)
	}
	if len(e.Payload) > maxPayload {
		wrong["payload"] = "must have at most 64 KiB"
	}
	return e, badFields(wrong)
}
