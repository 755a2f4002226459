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
	queueThreads(b, slices.Collect(maps.Values(touched)))
	queueMessages(b, w.messages)
	queueFiles(b, w.messages)
	queueDispatches(b, w.dispatches)
	queueEvents(b, w.events)
	queueTurns(b, w.turns)
	queueBirths(b, w.births)
	queueSteps(b, w.steps)
	queueMails(b, w.mails)
	queueLabels(b, w.labelled)
	queueTellings(b, w.tellings)
	queueReplies(b, w.replies)
	b.Queue("commit")
	return conn.SendBatch(ctx, b).Close()
}

const updateThreads = `
UPDATE threads t SET handling = u.handling, epoch = u.epoch, assignee_id = nullif(u.assignee_id, '')::uuid,
       last_seq = u.last_seq, last_inbound = u.last_inbound, answered = u.answered,
       visitor_read = u.visitor_read, team_read = u.team_read, notes = u.notes, last_message_at = nullif(u.last_message_at, 'epoch'),
       window_start = u.window_start, window_count = u.window_count, day = u.day::date, day_count = u.day_count, updated_at = u.updated_at,
       wait_due = nullif(u.wait_due, 'epoch'), offered_at = nullif(u.offered_at, 'epoch'), waited_at = nullif(u.waited_at, 'epoch')
FROM unnest($1::text[]::uuid[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
            $10::timestamptz[], $11::timestamptz[], $12::int[], $13::timestamptz[], $14::int[], $15::timestamptz[], $16::bigint[],
            $17::timestamptz[], $18::timestamptz[], $19::timestamptz[])
     AS u(id, handling, epoch, assignee_id, last_seq, last_inbound, answered, visitor_read, team_read,
          last_message_at, window_start, window_count, day, day_count, updated_at, notes, wait_due, offered_at, waited_at)
WHERE t.id = u.id`

func queueThreads(b *pgx.Batch, ss []*state) {
	b.Queue(updateThreads,
		column(ss, func(s *state) string { return string(s.ID) }),
		column(ss, func(s *state) string { return string(s.Handling) }),
		column(ss, func(s *state) int64 { return s.Epoch }),
		column(ss, func(s *state) string { return string(s.AssigneeID) }),
		column(ss, func(s *state) int64 { return s.LastSeq }),
		column(ss, func(s *state) int64 { return s.LastInbound }),
		column(ss, func(s *state) int64 { return s.Answered }),
		column(ss, func(s *state) int64 { return s.VisitorRead }),
		column(ss, func(s *state) int64 { return s.TeamRead }),
		column(ss, func(s *state) time.Time { return s.LastMessageAt }),
		column(ss, func(s *state) time.Time { return s.windowStart }),
		column(ss, func(s *state) int { return s.windowCount }),
		column(ss, func(s *state) time.Time { return s.day }),
		column(ss, func(s *state) int { return s.dayCount }),
		column(ss, func(s *state) time.Time { return s.UpdatedAt }),
		column(ss, func(s *state) int64 { return s.Notes }),
		column(ss, func(s *state) time.Time { return orEpoch(s.WaitDue) }),
		column(ss, func(s *state) time.Time { return orEpoch(s.OfferedAt) }),
		column(ss, func(s *state) time.Time { return orEpoch(s.WaitedAt) }),
	)
}

const insertMessages = `
INSERT INTO messages (id, org_id, thread_id, seq, client_id, session_id, direction, author_kind, author_name, author_id,
                      content, content_type, citations, turn_id, created_at, attachments)
SELECT u.id, u.org_id, u.thread_id, u.seq, u.client_id, nullif(u.session_id, '')::uuid, u.direction, u.author_kind, u.author_name, u.author_id,
       u.content, u.content_type, u.citations::jsonb, nullif(u.turn_id, '')::uuid, u.created_at, nullif(u.attachments, '')::jsonb
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[]::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::text[])
     AS u(id, org_id, thread_id, seq, client_id, session_id, direction, author_kind, author_name, author_id,
          content, content_type, citations, turn_id, created_at, attachments)`

func queueMessages(b *pgx.Batch, ms []*domain.Message) {
	if len(ms) == 0 {
		return
	}
	type M = *domain.Message
	b.Queue(insertMessages,
		column(ms, func(m M) string { return string(m.ID) }),
		column(ms, func(m M) string { return string(m.OrgID) }),
		column(ms, func(m M) string { return string(m.ThreadID) }),
		column(ms, func(m M) int64 { return m.Seq }),
		column(ms, func(m M) string { return m.ClientID }),
		column(ms, func(m M) string { return string(m.SessionID) }),
		column(ms, func(m M) string { return string(m.Direction) }),
		column(ms, func(m M) string { return string(m.Author.Kind) }),
		column(ms, func(m M) string { return m.Author.Name }),
		column(ms, func(m M) string { return m.AuthorID }),
		column(ms, func(m M) string { return m.Content }),
		column(ms, func(m M) string { return string(m.ContentType) }),
		column(ms, func(m M) string {
			if len(m.Citations) == 0 {
				return "[]"
			}
			return jsonOf(m.Citations)
		}),
		column(ms, func(m M) string { return string(m.TurnID) }),
		column(ms, func(m M) time.Time { return m.CreatedAt }),
		column(ms, func(m M) string {
			if len(m.Attachments) == 0 {
				return ""
			}
			return jsonOf(m.Attachments)
		}),
	)
}

const insertEvents = `
INSERT INTO events (id, org_id, thread_id, channel, kind, external_id, message_id, dispatch_id, turn_id, detail, created_at)
SELECT u.id, u.org_id, u.thread_id, u.channel, u.kind, u.external_id, nullif(u.message_id, '')::uuid, nullif(u.dispatch_id, '')::uuid,
       nullif(u.turn_id, '')::uuid, u.detail::jsonb, u.created_at
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[]::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::timestamptz[]) WITH ORDINALITY
     AS u(id, org_id, thread_id, channel, kind, external_id, message_id, dispatch_id, turn_id, detail, created_at, n)
ORDER BY u.n`

// Only duplicate_ignored may meet an event of its own kind: one record a message is enough. Everything else under a known key is
// a race that the batch must lose loudly, so that its append is decided again as a duplicate.
const insertDuplicates = insertEvents + `
ON CONFLICT (org_id, channel, kind, external_id) DO NOTHING`

func queueEvents(b *pgx.Batch, es []event) {
	isDuplicate := func(e event) bool { return e.kind == string(domain.DuplicateIgnored) }
	duplicates := slices.Collect(func(yield func(event) bool) {
		for _, e := range es {
			if isDuplicate(e) && !yield(e) {
				return
			}
		}
	})
	queueEventRows(b, insertEvents, slices.DeleteFunc(slices.Clone(es), isDuplicate))
	queueEventRows(b, insertDuplicates, duplicates)
}

func queueEventRows(b *pgx.Batch, sql string, es []event) {
	if len(es) == 0 {
		return
	}
	b.Queue(sql,
		column(es, func(e event) string { return string(e.id) }),
		column(es, func(e event) string { return string(e.thread.OrgID) }),
		column(es, func(e event) string { return string(e.thread.ID) }),
		column(es, func(e event) string { return e.channel }),
		column(es, func(e event) string { return e.kind }),
		column(es, func(e event) string { return clean(e.external) }),
		column(es, func(e event) string { return string(e.message) }),
		column(es, func(e event) string { return string(e.dispatch) }),
		column(es, func(e event) string { return string(e.turn) }),
		column(es, func(e event) string { return jsonOf(e.detail) }),
		column(es, func(e event) time.Time { return e.at }),
	)
}

// Changed dispatches are written before new ones, so that a thread's open one is closed before the next is opened.
const updateDispatches = `
UPDATE dispatches d SET status = u.status, skip_reason = u.skip_reason, to_seq = u.to_seq, due_at = u.due_at, attempts = u.attempts,
       replies = u.replies, last_error = u.last_error, updated_at = u.updated_at, tried_at = nullif(u.tried_at, 'epoch')
FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::int[], $7::int[], $8::text[], $9::timestamptz[], $10::timestamptz[])
     AS u(id, status, skip_reason, to_seq, due_at, attempts, replies, last_error, updated_at, tried_at)
WHERE d.id = u.id`

const insertDispatches = `
INSERT INTO dispatches (id, status, skip_reason, to_seq, due_at, attempts, replies, last_error, updated_at, tried_at,
                        org_id, thread_id, agent_id, from_seq, first_at, created_at, token, lease_until)
SELECT u.id, u.status, u.skip_reason, u.to_seq, u.due_at, u.attempts, u.replies, u.last_error, u.updated_at, nullif(u.tried_at, 'epoch'),
       u.org_id, u.thread_id, nullif(u.agent_id, '')::uuid, u.from_seq, u.first_at, u.created_at, u.token,
       CASE WHEN u.lease > 0 THEN clock_timestamp() + u.lease * interval '1 millisecond' END
FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::int[], $7::int[], $8::text[], $9::timestamptz[], $10::timestamptz[],
            $11::text[]::uuid[], $12::text[]::uuid[], $13::text[], $14::bigint[], $15::timestamptz[], $16::timestamptz[], $17::bigint[], $18::float8[])
     AS u(id, status, skip_reason, to_seq, due_at, attempts, replies, last_error, updated_at, tried_at,
          org_id, thread_id, agent_id, from_seq, first_at, created_at, token, lease)`

func queueDispatches(b *pgx.Batch, ds []*dispatchRow) {
	var changed, fresh []*dispatchRow
	for _, d := range ds {
		if d.fresh {
			fresh = append(fresh, d)
		} else {
			changed = append(changed, d)
		}
	}
	type D = *dispatchRow
	state := func(ds []D) []any {
		return []any{
			column(ds, func(d D) string { return string(d.ID) }),
			column(ds, func(d D) string { return string(d.Status) }),
			column(ds, func(d D) string { return string(d.SkipReason) }),
			column(ds, func(d D) int64 { return d.ToSeq }),
			column(ds, func(d D) time.Time { return d.DueAt }),
			column(ds, func(d D) int { return d.Attempts }),
			column(ds, func(d D) int { return d.Replies }),
			column(ds, func(d D) string { return clean(d.LastError) }),
			column(ds, func(d D) time.Time { return d.at }),
			column(ds, func(d D) time.Time { return orEpoch(d.TriedAt) }),
		}
	}
	if len(changed) > 0 {
		b.Queue(updateDispatches, state(changed)...)
	}
	if len(fresh) > 0 {
		b.Queue(insertDispatches, append(state(fresh),
			column(fresh, func(d D) string { return string(d.OrgID) }),
			column(fresh, func(d D) string { return string(d.ThreadID) }),
			column(fresh, func(d D) string { return string(d.AgentID) }),
			column(fresh, func(d D) int64 { return d.FromSeq }),
			column(fresh, func(d D) time.Time { return d.FirstAt }),
			column(fresh, func(d D) time.Time { return d.CreatedAt }),
			column(fresh, func(d D) int64 { return d.Token }),
			column(fresh, func(d D) float64 { return float64(d.lease.Milliseconds()) }),
		)...)
	}
}

// A turn ends once: what a worker says after its turn was declared lost stands in the events.
const updateTurns = `
UPDATE turns t SET status = u.status, error = u.error, usage = u.usage::jsonb, finished_at = u.finished_at
FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS u(id, status, error, usage, finished_at)
WHERE t.id = u.id AND t.status = 'running'`

func queueTurns(b *pgx.Batch, ts []turnRow) {
	if len(ts) == 0 {
		return
	}
	b.Queue(updateTurns,
		column(ts, func(t turnRow) string { return string(t.id) }),
		column(ts, func(t turnRow) string { return string(t.status) }),
		column(ts, func(t turnRow) string { return clean(t.err) }),
		column(ts, func(t turnRow) string { return jsonOf(t.usage) }),
		column(ts, func(t turnRow) time.Time { return t.at }),
	)
}

const insertSteps = `
INSERT INTO turn_steps (turn_id, org_id, thread_id, kind, detail, created_at)
SELECT u.turn_id, u.org_id, u.thread_id, u.kind, u.detail::jsonb, u.created_at
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[]::uuid[], $4::text[], $5::text[], $6::timestamptz[]) WITH ORDINALITY
     AS u(turn_id, org_id, thread_id, kind, detail, created_at, n)
ORDER BY u.n`

func queueSteps(b *pgx.Batch, ss []step) {
	if len(ss) == 0 {
		return
	}
	b.Queue(insertSteps,
		column(ss, func(s step) string { return string(s.turn) }),
		column(ss, func(s step) string { return string(s.thread.OrgID) }),
		column(ss, func(s step) string { return string(s.thread.ID) }),
		column(ss, func(s step) string { return string(s.kind) }),
		column(ss, func(s step) string { return jsonOf(s.detail) }),
		column(ss, func(s step) time.Time { return s.at }),
	)
}
