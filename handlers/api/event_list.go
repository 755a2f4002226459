package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Event is an entry of the ledger.
type Event struct {
	ID         string `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c15"`
	At         Time   `json:"at"`
	Channel    string `json:"channel" doc:"Where it came in; team and agent are Parley's own." example:"sms"`
	Kind       string `json:"kind" doc:"What happened, as in the timeline, or what its channel calls it." example:"message_received"`
	ExternalID string `json:"external_id" doc:"Under its channel and kind there is one with this." example:"SM4711"`
	ThreadID   string `json:"thread_id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	MessageID  string `json:"message_id,omitempty" format:"uuid" doc:"The line it is about." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c16"`
	DispatchID string `json:"dispatch_id,omitempty" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c17"`
	TurnID     string `json:"turn_id,omitempty" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c18"`
	Detail     Detail `json:"detail" doc:"By kind. Of what came in: routing, whether it queued, extended or skipped a dispatch, reason, why it skipped it, and payload."`
}

// Detail is the JSON object that a happening's kind is told with.
type Detail json.RawMessage

func (d Detail) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }
func (Detail) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Examples: []any{map[string]any{"routing": "dispatch_queued"}}}
}

func showEvent(e domain.Event) Event {
	return Event{ID: string(e.ID), At: Time(e.CreatedAt), Channel: e.Channel, Kind: string(e.Kind), ExternalID: e.ExternalID, ThreadID: string(e.ThreadID),
		MessageID: string(e.MessageID), DispatchID: string(e.DispatchID), TurnID: string(e.TurnID), Detail: Detail(e.Detail)}
}

// Activity is an entry of the organisation's feed.
type Activity struct {
	ID      string           `json:"id" format:"uuid" doc:"Of its event." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c15"`
	At      Time             `json:"at"`
	Kind    string           `json:"kind" doc:"What happened, as in the timeline, or what its channel calls it." example:"handed_off"`
	Thread  ActivityThread   `json:"thread"`
	Message *ActivityMessage `json:"message,omitempty" doc:"The line it is about."`
	Detail  Detail           `json:"detail" doc:"By kind, such as who did it (name), why (reason), and how a contact rated (score)."`
}

// ActivityThread is the thread something happened in, as it is now.
type ActivityThread struct {
	ID          string  `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Channel     string  `json:"channel" example:"webchat"`
	Handling    string  `json:"handling" enum:"agent,waiting,human,closed" example:"waiting"`
	ContactID   *string `json:"contact_id" nullable:"true" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	ContactName string  `json:"contact_name" doc:"Empty as long as they have not said." example:"Grace Hopper"`
}

// ActivityMessage is the line something is about, as it begins.
type ActivityMessage struct {
	ID      string `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c16"`
	Seq     int64  `json:"seq" example:"7"`
	Author  Author `json:"author"`
	Content string `json:"content" doc:"At most 240 characters of it." example:"Where is my parcel?"`
}

func showActivity(x domain.Activity) Activity {
	shown := Activity{ID: string(x.ID), At: Time(x.CreatedAt), Kind: string(x.Kind), Detail: Detail(x.Detail),
		Thread: ActivityThread{string(x.ThreadID), x.ThreadChannel, string(x.Handling), orNull(x.ContactID), x.ContactName}}
	if x.Seq > 0 {
		shown.Message = &ActivityMessage{string(x.MessageID), x.Seq, Author{Kind: string(x.AuthorKind), Name: x.AuthorName}, x.Content}
	}
	return shown
}

// EventFilter is what both lists can be narrowed by.
type EventFilter struct {
	Paging
	Kind    string `query:"kind" maxLength:"64" doc:"Only what is of this kind." example:"message_received"`
	Thread  string `query:"thread" format:"uuid" doc:"Only what happened in this thread."`
	Channel string `query:"channel" maxLength:"64" doc:"Only what came in there; team and agent are Parley's own." example:"sms"`
	Since   string `query:"since" maxLength:"40" doc:"Only what happened then or later: an RFC 3339 time, or a date, which begins at midnight UTC." example:"2026-11-21T09:00:00Z"`
	Until   string `query:"until" maxLength:"40" doc:"Only what happened earlier than then." example:"2026-11-22"`
}

func (in EventFilter) filter() (f ledger.EventFilter, err error) {
	f = ledger.EventFilter{Kind: domain.TimelineKind(in.Kind), Channel: in.Channel, Limit: in.limit() + 1}
	for field, v := range map[string]string{"kind": in.Kind, "channel": in.Channel} {
		if strings.ContainsRune(v, 0) || !utf8.ValidString(v) {
			return f, domain.InvalidField(field, "is not text")
		}
	}
	if f.Thread, err = parseField[domain.ThreadID]("thread", in.Thread); err != nil {
		return f, err
	}
	if f.Since, err = instant("since", in.Since); err != nil {
		return f, err
	}
	if f.Until, err = instant("until", in.Until); err != nil {
		return f, err
	}
	f.Before, err = in.before()
	return f, err
}

// instant reads a time of a query; the zero time if it is not given. A plus sign that was not escaped has become a space on its way.
func instant(field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, strings.ReplaceAll(s, " ", "+")); err == nil && t.UTC().Year() > 0 && t.UTC().Year() <= 9999 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, domain.InvalidField(field, "must be an RFC 3339 time, as in 2026-11-21T09:00:00Z, or a date")
}

type listEventsRequest struct {
	EventFilter
	ExternalID string `query:"external_id" maxLength:"200" doc:"Only what came under this id." example:"SM4711"`
}

type listActivityRequest struct{ EventFilter }

func (a *API) eventLists() {
	add(a, operation(http.MethodGet, "/events", "list-events", tagEvents, "Read the ledger",
		"Every event of all threads, the newest first: what came in, what was decided and what was done. What happens within an agent's turn stands in its thread's timeline."), a.listEvents)
	add(a, operation(http.MethodGet, "/activity", "list-activity", tagEvents, "Read the organisation's feed",
		"What people and agents did in all threads, the newest first, with whom and what was said. To be told of it as it happens, use a webhook."), a.listActivity)
}

func (a *API) listEvents(ctx context.Context, in *listEventsRequest) (*Answer[List[Event]], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if f.ExternalID = in.ExternalID; strings.ContainsRune(f.ExternalID, 0) || !utf8.ValidString(f.ExternalID) {
		return nil, domain.InvalidField("external_id", "is not text")
	}
	es, err := a.Chat.Events(ctx, callerOf(ctx).scope(), f)
	es, next := cut(es, in.limit(), func(e domain.Event) int64 { return e.Ord })
	return list(es, showEvent, next), err
}

func (a *API) listActivity(ctx context.Context, in *listActivityRequest) (*Answer[List[Activity]], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	xs, err := a.Chat.Activity(ctx, callerOf(ctx).scope(), f)
	xs, next := cut(xs, in.limit(), func(x domain.Activity) int64 { return x.Ord })
	return list(xs, showActivity, next), err
}
