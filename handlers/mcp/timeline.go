package mcp

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/parley-chat/parley/domain"
)

// TimelineQuery is what read_timeline wants.
type TimelineQuery struct {
	ThreadName
	Paging
}

// TimelineItem is one entry of a thread's flight recorder as a model sees it.
type TimelineItem struct {
	At        string         `json:"at"`
	Kind      string         `json:"kind" jsonschema:"what happened, such as message_received, dispatch_skipped, turn_failed, handed_off or note_added"`
	MessageID string         `json:"message_id,omitempty"`
	TurnID    string         `json:"turn_id,omitempty" jsonschema:"the attempt of an AI agent that it belongs to"`
	Detail    map[string]any `json:"detail,omitempty" jsonschema:"depends on the kind; one too long for a page is given as the text it begins with, under cut"`
}

// Timeline is a page of a flight recorder.
type Timeline struct {
	Items      []TimelineItem `json:"items" jsonschema:"in the order in which they happened"`
	NextCursor string         `json:"next_cursor,omitempty" jsonschema:"give it as cursor to get the next page; absent at the end"`
}

func (s *Surface) timelineTools(server *mcp.Server) {
	add(s, server, tool{name: "read_timeline", title: "Read what happened in a conversation", effect: reads,
		about: "Reads a conversation's flight recorder, for the team only: messages and what they led to, AI agents' turns step by step, why a reply was not sent, hand-overs, notes."}, s.readTimeline)
}

// readTimeline pages by how many entries were given: the record only grows, at its end but for the steps of a turn in progress.
func (s *Surface) readTimeline(ctx context.Context, in TimelineQuery) (Timeline, error) {
	limit, err := limitOf(in.Limit)
	if err != nil {
		return Timeline{}, err
	}
	from := 0
	if in.Cursor != "" {
		if from, err = strconv.Atoi(in.Cursor); err != nil || from < 0 {
			return Timeline{}, domain.InvalidField("cursor", "is not one that read_timeline has given")
		}
	}
	t, err := s.conversation(ctx, in.ThreadID)
	if err != nil {
		return Timeline{}, err
	}
	all, err := s.Chat.Timeline(ctx, callerOf(ctx).scope(), domain.ThreadID(t.ID))
	if err != nil {
		return Timeline{}, err
	}
	page := all[min(from, len(all)):]
	page = page[:min(len(page), limit)]
	page = page[:fitting(page, func(i domain.TimelineItem) int { return min(len(i.Detail), detailBytes) })]
	shown := Timeline{Items: []TimelineItem{}}
	for _, i := range page {
		shown.Items = append(shown.Items, TimelineItem{moment(i.At), string(i.Kind), string(i.MessageID), string(i.TurnID), details(i.Detail)})
	}
	if end := from + len(page); end < len(all) {
		shown.NextCursor = strconv.Itoa(end)
	}
	return shown, nil
}

const detailBytes = 4 << 10 // of one entry

// details are what is recorded of an entry, or how it begins.
func details(raw json.RawMessage) map[string]any {
	if len(raw) > detailBytes {
		return map[string]any{"cut": clip(string(raw), detailBytes)}
	}
	var d map[string]any
	_ = json.Unmarshal(raw, &d) // the ledger holds objects
	return d
}
