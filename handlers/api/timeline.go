package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
)

// TimelineItem is one entry of a thread's flight recorder.
type TimelineItem struct {
	At         Time    `json:"at"`
	Kind       string  `json:"kind" doc:"What happened: message_received, dispatch_queued, turn_started, reply_stored, handed_off … Expect new kinds." example:"dispatch_skipped"`
	MessageID  string  `json:"message_id,omitempty" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	DispatchID string  `json:"dispatch_id,omitempty" format:"uuid"`
	TurnID     string  `json:"turn_id,omitempty" format:"uuid"`
	Detail     Details `json:"detail" doc:"By kind, such as the reason of dispatch_skipped."`
}

// Details is a JSON object whose keys depend on the kind.
type Details json.RawMessage

func (d Details) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }
func (Details) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Examples: []any{map[string]any{"reason": "human_handling"}}}
}

func showTimelineItem(i domain.TimelineItem) TimelineItem {
	detail := Details(i.Detail)
	if len(detail) == 0 {
		detail = Details("{}")
	}
	return TimelineItem{Time(i.At), string(i.Kind), string(i.MessageID), string(i.DispatchID), string(i.TurnID), detail}
}

// timelineAnswer is a timeline to read or, with a disposition, to save.
type timelineAnswer struct {
	Disposition string `header:"Content-Disposition"`
	Body        List[TimelineItem]
}

// timelinePage is how many items one page has at most: a thread's timeline is mostly read as a whole.
const timelinePage = 1000

func (a *API) getTimeline(ctx context.Context, in *struct {
	Path
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; without one the list begins."`
	Limit  int    `query:"limit" minimum:"1" default:"1000" doc:"How many to give at most. More than 1000 counts as 1000."`

	Download string `query:"download" enum:"1," doc:"1: the answer is a file to save."`
}) (*timelineAnswer, error) {
	id, err := domain.ParseID[domain.ThreadID](in.ID)
	if err != nil {
		return nil, err
	}
	items, err := a.Chat.Timeline(ctx, callerOf(ctx).scope(), id)
	if err != nil {
		return nil, err
	}
	from := 0
	if in.Cursor != "" {
		if from, err = strconv.Atoi(in.Cursor); err != nil || from < 1 {
			return nil, badCursor()
		}
	}
	next, to := "", min(from, len(items))+min(in.Limit, timelinePage)
	if to < len(items) {
		next = strconv.Itoa(to)
	}
	out := &timelineAnswer{Body: list(items[min(from, len(items)):min(to, len(items))], showTimelineItem, next).Body}
	if in.Download != "" {
		out.Disposition = fmt.Sprintf(`attachment; filename="timeline-%s.json"`, id)
	}
	return out, err
}
