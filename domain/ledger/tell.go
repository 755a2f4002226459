package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/parley-chat/parley/domain"
)

// telling is a happening that webhooks may want to hear of.
type telling struct {
	event  domain.EventID // its row: what was not recorded is not told
	thread *state
	told   domain.Told
	at     time.Time
}

// tell notes what webhooks are told of the events from the given one on, which one change has led to. Organisations without any
// are never asked: the lock has told whether there are some.
func (s *state) tell(w *rows, from int) bool {
	if !s.hooked || from == len(w.events) {
		return false
	}
	for _, e := range w.events[from:] {
		detail := json.RawMessage(jsonOf(e.detail))
		if led, ok := e.detail.(received); ok { // a line and what it led to are one row and two happenings, as in the timeline
			s.tellOf(w, e, domain.Tell(e.id, domain.MessageReceived, e.at, s.Thread, s.line(w, e.message), json.RawMessage("{}")))
			detail = json.RawMessage("{}")
			if led.Reason != "" {
				detail = json.RawMessage(jsonOf(map[string]any{"reason": led.Reason}))
			}
			s.tellOf(w, e, domain.Tell(NewID[domain.EventID](), led.Routing, e.at, s.Thread, s.line(w, e.message), detail))
			continue
		}
		s.tellOf(w, e, domain.Tell(e.id, domain.TimelineKind(e.kind), e.at, s.Thread, s.line(w, e.message), detail))
	}
	return true
}

func (s *state) tellOf(w *rows, e event, told domain.Told) {
	w.tellings = append(w.tellings, telling{e.id, s, told, e.at})
}

// line is the message an event is about: one of this batch, or one that was there already.
func (s *state) line(w *rows, id domain.MessageID) *domain.Message {
	if id == "" {
		return nil
	}
	for i := len(w.messages) - 1; i >= 0; i-- {
		if w.messages[i].ID == id {
			return w.messages[i]
		}
	}
	for _, m := range s.known {
		if m.ID == id {
			return &m
		}
	}
	return nil
}

var insertTellings = newBulk(`
INSERT INTO deliveries (id, org_id, thread_id, message_id, transport, target, payload, status, due_at, give_up_at, created_at, updated_at)
SELECT gen_random_uuid(), u.org_id, u.thread_id, nullif(u.message_id, '')::uuid, 'webhook', h.id::text, u.payload::jsonb, 'queued',
       u.at, u.at + interval '24 hours', u.at, u.at
FROM {rows}
JOIN events e ON e.id = u.event_id
JOIN webhooks h ON h.org_id = u.org_id AND h.enabled AND (h.kinds = '{}' OR u.kind = ANY(h.kinds))
ORDER BY u.n, h.id`,
	as("event_id", "uuid", func(t telling) string { return string(t.event) }),
	as("org_id", "uuid", func(t telling) string { return string(t.thread.OrgID) }),
	as("thread_id", "uuid", func(t telling) string { return string(t.thread.ID) }),
	as("message_id", "text", func(t telling) string {
		if t.told.Message == nil {
			return ""
		}
		return string(t.told.Message.ID)
	}),
	as("kind", "text", func(t telling) string { return string(t.told.Kind) }),
	as("payload", "text", func(t telling) string { return jsonOf(t.told) }),
	as("at", "timestamptz", func(t telling) time.Time { return t.at }),
)

// tellJoined is tell for the one event that is written outside the append path.
func (tx *Ledger) tellJoined(ctx context.Context, into domain.Thread, gone domain.ThreadID) error {
	_, err := tx.NewRaw(`INSERT INTO deliveries (id, org_id, thread_id, transport, target, payload, status, due_at, give_up_at, created_at, updated_at)
SELECT gen_random_uuid(), e.org_id, t.id, 'webhook', h.id::text, jsonb_build_object('id', e.id, 'kind', e.kind,
           'at', to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
           'thread', jsonb_build_object('id', t.id, 'channel', t.channel, 'handling', t.handling, 'contact_id', t.contact_id), 'detail', e.detail),
       'queued', e.created_at, e.created_at + interval '24 hours', e.created_at, e.created_at
FROM events e JOIN threads t ON t.id = e.thread_id
JOIN webhooks h ON h.org_id = e.org_id AND h.enabled AND (h.kinds = '{}' OR e.kind = ANY(h.kinds))
WHERE e.org_id = ?0 AND e.channel = ?1 AND e.kind = ?2 AND e.external_id = ?3 AND e.thread_id = ?4
ORDER BY h.id`, into.OrgID, into.Channel, domain.ThreadJoined, gone, into.ID).Exec(ctx)
	return err
}
