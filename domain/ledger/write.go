package ledger

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/parley-chat/parley/domain"
)

// write stores the rows of a batch and commits, in one round trip.
func write(ctx context.Context, conn *pgxpool.Conn, touched map[domain.ThreadID]*state, w *rows) error {
	b := &pgx.Batch{}
	updateThreads.queue(b, slices.Collect(maps.Values(touched)))
	insertMessages.queue(b, w.messages)
	queueFiles(b, w.messages)
	queueDispatches(b, w.dispatches)
	queueEvents(b, w.events)
	updateTurns.queue(b, w.turns)
	insertTurns.queue(b, w.births)
	insertSteps.queue(b, w.steps)
	queueMails(b, w.mails)
	queueMissable(b, w.missed)
	updateLabels.queue(b, w.labelled)
	insertTellings.queue(b, w.tellings)
	queueReplies(b, w.replies)
	b.Queue("commit")
	return conn.SendBatch(ctx, b).Close()
}

var updateThreads = newBulk(`
UPDATE threads t SET handling = u.handling, epoch = u.epoch, assignee_id = nullif(u.assignee_id, '')::uuid,
       last_seq = u.last_seq, last_inbound = u.last_inbound, answered = u.answered,
       visitor_read = u.visitor_read, team_read = u.team_read, notes = u.notes, last_message_at = nullif(u.last_message_at, 'epoch'),
       window_start = u.window_start, window_count = u.window_count, day = u.day::date, day_count = u.day_count, updated_at = u.updated_at,
       wait_due = nullif(u.wait_due, 'epoch'), offered_at = nullif(u.offered_at, 'epoch'), waited_at = nullif(u.waited_at, 'epoch')
FROM {rows}
WHERE t.id = u.id`,
	as("id", "uuid", func(s *state) string { return string(s.ID) }),
	as("handling", "text", func(s *state) string { return string(s.Handling) }),
	as("epoch", "bigint", func(s *state) int64 { return s.Epoch }),
	as("assignee_id", "text", func(s *state) string { return string(s.AssigneeID) }),
	as("last_seq", "bigint", func(s *state) int64 { return s.LastSeq }),
	as("last_inbound", "bigint", func(s *state) int64 { return s.LastInbound }),
	as("answered", "bigint", func(s *state) int64 { return s.Answered }),
	as("visitor_read", "bigint", func(s *state) int64 { return s.VisitorRead }),
	as("team_read", "bigint", func(s *state) int64 { return s.TeamRead }),
	as("last_message_at", "timestamptz", func(s *state) time.Time { return s.LastMessageAt }),
	as("window_start", "timestamptz", func(s *state) time.Time { return s.windowStart }),
	as("window_count", "int", func(s *state) int { return s.windowCount }),
	as("day", "timestamptz", func(s *state) time.Time { return s.day }),
	as("day_count", "int", func(s *state) int { return s.dayCount }),
	as("updated_at", "timestamptz", func(s *state) time.Time { return s.UpdatedAt }),
	as("notes", "bigint", func(s *state) int64 { return s.Notes }),
	as("wait_due", "timestamptz", func(s *state) time.Time { return orEpoch(s.WaitDue) }),
	as("offered_at", "timestamptz", func(s *state) time.Time { return orEpoch(s.OfferedAt) }),
	as("waited_at", "timestamptz", func(s *state) time.Time { return orEpoch(s.WaitedAt) }),
)

var insertMessages = newBulk(`
INSERT INTO messages (id, org_id, thread_id, seq, client_id, session_id, direction, author_kind, author_name, author_id,
                      content, content_type, citations, turn_id, created_at, attachments)
SELECT u.id, u.org_id, u.thread_id, u.seq, u.client_id, nullif(u.session_id, '')::uuid, u.direction, u.author_kind, u.author_name, u.author_id,
       u.content, u.content_type, u.citations::jsonb, nullif(u.turn_id, '')::uuid, u.created_at, nullif(u.attachments, '')::jsonb
FROM {rows}`,
	as("id", "uuid", func(m *domain.Message) string { return string(m.ID) }),
	as("org_id", "uuid", func(m *domain.Message) string { return string(m.OrgID) }),
	as("thread_id", "uuid", func(m *domain.Message) string { return string(m.ThreadID) }),
	as("seq", "bigint", func(m *domain.Message) int64 { return m.Seq }),
	as("client_id", "text", func(m *domain.Message) string { return m.ClientID }),
	as("session_id", "text", func(m *domain.Message) string { return string(m.SessionID) }),
	as("direction", "text", func(m *domain.Message) string { return string(m.Direction) }),
	as("author_kind", "text", func(m *domain.Message) string { return string(m.Author.Kind) }),
	as("author_name", "text", func(m *domain.Message) string { return m.Author.Name }),
	as("author_id", "text", func(m *domain.Message) string { return m.AuthorID }),
	as("content", "text", func(m *domain.Message) string { return m.Content }),
	as("content_type", "text", func(m *domain.Message) string { return string(m.ContentType) }),
	as("citations", "text", func(m *domain.Message) string {
		if len(m.Citations) == 0 {
			return "[]"
		}
		return jsonOf(m.Citations)
	}),
	as("turn_id", "text", func(m *domain.Message) string { return string(m.TurnID) }),
	as("created_at", "timestamptz", func(m *domain.Message) time.Time { return m.CreatedAt }),
	as("attachments", "text", func(m *domain.Message) string {
		if len(m.Attachments) == 0 {
			return ""
		}
		return jsonOf(m.Attachments)
	}),
)

// Only duplicate_ignored may meet an event of its own kind: one record a message is enough. Everything else under a known key is
// a race that the batch must lose loudly, so that its append is decided again as a duplicate.
var (
	insertEvents     = newBulk(insertEventRows, eventFields...)
	insertDuplicates = newBulk(insertEventRows+`
ON CONFLICT (org_id, channel, kind, external_id) DO NOTHING`, eventFields...)
)

const insertEventRows = `
INSERT INTO events (id, org_id, thread_id, channel, kind, external_id, message_id, dispatch_id, turn_id, detail, created_at)
SELECT u.id, u.org_id, u.thread_id, u.channel, u.kind, u.external_id, nullif(u.message_id, '')::uuid, nullif(u.dispatch_id, '')::uuid,
       nullif(u.turn_id, '')::uuid, u.detail::jsonb, u.created_at
FROM {rows}
ORDER BY u.n`

var eventFields = []field[event]{
	as("id", "uuid", func(e event) string { return string(e.id) }),
	as("org_id", "uuid", func(e event) string { return string(e.thread.OrgID) }),
	as("thread_id", "uuid", func(e event) string { return string(e.thread.ID) }),
	as("channel", "text", func(e event) string { return e.channel }),
	as("kind", "text", func(e event) string { return e.kind }),
	as("external_id", "text", func(e event) string { return clean(e.external) }),
	as("message_id", "text", func(e event) string { return string(e.message) }),
	as("dispatch_id", "text", func(e event) string { return string(e.dispatch) }),
	as("turn_id", "text", func(e event) string { return string(e.turn) }),
	as("detail", "text", func(e event) string { return jsonOf(e.detail) }),
	as("created_at", "timestamptz", func(e event) time.Time { return e.at }),
}

func queueEvents(b *pgx.Batch, es []event) {
	var news, duplicates []event
	for _, e := range es {
		if e.kind == string(domain.DuplicateIgnored) {
			duplicates = append(duplicates, e)
		} else {
			news = append(news, e)
		}
	}
	insertEvents.queue(b, news)
	insertDuplicates.queue(b, duplicates)
}

// Changed dispatches are written before new ones, so that a thread's open one is closed before the next is opened.
var updateDispatches = newBulk(`
UPDATE dispatches d SET status = u.status, skip_reason = u.skip_reason, to_seq = u.to_seq, due_at = u.due_at, attempts = u.attempts,
       replies = u.replies, last_error = u.last_error, updated_at = u.updated_at, tried_at = nullif(u.tried_at, 'epoch')
FROM {rows}
WHERE d.id = u.id`, dispatchState...)

var dispatchState = []field[*dispatchRow]{
	as("id", "uuid", func(d *dispatchRow) string { return string(d.ID) }),
	as("status", "text", func(d *dispatchRow) string { return string(d.Status) }),
	as("skip_reason", "text", func(d *dispatchRow) string { return string(d.SkipReason) }),
	as("to_seq", "bigint", func(d *dispatchRow) int64 { return d.ToSeq }),
	as("due_at", "timestamptz", func(d *dispatchRow) time.Time { return d.DueAt }),
	as("attempts", "int", func(d *dispatchRow) int { return d.Attempts }),
	as("replies", "int", func(d *dispatchRow) int { return d.Replies }),
	as("last_error", "text", func(d *dispatchRow) string { return clean(d.LastError) }),
	as("updated_at", "timestamptz", func(d *dispatchRow) time.Time { return d.at }),
	as("tried_at", "timestamptz", func(d *dispatchRow) time.Time { return orEpoch(d.TriedAt) }),
}

var insertDispatches = newBulk(`
INSERT INTO dispatches (id, status, skip_reason, to_seq, due_at, attempts, replies, last_error, updated_at, tried_at,
                        org_id, thread_id, agent_id, from_seq, first_at, created_at, token, lease_until)
SELECT u.id, u.status, u.skip_reason, u.to_seq, u.due_at, u.attempts, u.replies, u.last_error, u.updated_at, nullif(u.tried_at, 'epoch'),
       u.org_id, u.thread_id, nullif(u.agent_id, '')::uuid, u.from_seq, u.first_at, u.created_at, u.token,
       CASE WHEN u.lease > 0 THEN clock_timestamp() + u.lease * interval '1 millisecond' END
FROM {rows}`,
	slices.Concat(dispatchState, []field[*dispatchRow]{
		as("org_id", "uuid", func(d *dispatchRow) string { return string(d.OrgID) }),
		as("thread_id", "uuid", func(d *dispatchRow) string { return string(d.ThreadID) }),
		as("agent_id", "text", func(d *dispatchRow) string { return string(d.AgentID) }),
		as("from_seq", "bigint", func(d *dispatchRow) int64 { return d.FromSeq }),
		as("first_at", "timestamptz", func(d *dispatchRow) time.Time { return d.FirstAt }),
		as("created_at", "timestamptz", func(d *dispatchRow) time.Time { return d.CreatedAt }),
		as("token", "bigint", func(d *dispatchRow) int64 { return d.Token }),
		as("lease", "float8", func(d *dispatchRow) float64 { return float64(d.lease.Milliseconds()) }),
	})...)

func queueDispatches(b *pgx.Batch, ds []*dispatchRow) {
	var changed, fresh []*dispatchRow
	for _, d := range ds {
		if d.fresh {
			fresh = append(fresh, d)
		} else {
			changed = append(changed, d)
		}
	}
	updateDispatches.queue(b, changed)
	insertDispatches.queue(b, fresh)
}

// A turn ends once: what a worker says after its turn was declared lost stands in the events.
var updateTurns = newBulk(`
UPDATE turns t SET status = u.status, error = u.error, usage = u.usage::jsonb, finished_at = u.finished_at
FROM {rows}
WHERE t.id = u.id AND t.status = 'running'`,
	as("id", "uuid", func(t turnRow) string { return string(t.id) }),
	as("status", "text", func(t turnRow) string { return string(t.status) }),
	as("error", "text", func(t turnRow) string { return clean(t.err) }),
	as("usage", "text", func(t turnRow) string { return jsonOf(t.usage) }),
	as("finished_at", "timestamptz", func(t turnRow) time.Time { return t.at }),
)

var insertSteps = newBulk(`
INSERT INTO turn_steps (turn_id, org_id, thread_id, kind, detail, created_at)
SELECT u.turn_id, u.org_id, u.thread_id, u.kind, u.detail::jsonb, u.created_at
FROM {rows}
ORDER BY u.n`,
	as("turn_id", "uuid", func(s step) string { return string(s.turn) }),
	as("org_id", "uuid", func(s step) string { return string(s.thread.OrgID) }),
	as("thread_id", "uuid", func(s step) string { return string(s.thread.ID) }),
	as("kind", "text", func(s step) string { return string(s.kind) }),
	as("detail", "text", func(s step) string { return jsonOf(s.detail) }),
	as("created_at", "timestamptz", func(s step) time.Time { return s.at }),
)
