package ledger

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/parley-chat/parley/domain"
)

// commit decides a batch and stores what it led to in one transaction of two round trips: lock and read, then write and commit;
// of three where turns may begin with it. The number of statements does not grow with the batch.
func (l *Ledger) commit(ctx context.Context, batch []*pending) (err error) {
	conn, err := l.commits.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // a connection left in a transaction is thrown away
	states, err := lock(ctx, conn, batch)
	if err != nil {
		rollback(ctx, conn)
		return err
	}
	var w rows
	touched := make(map[domain.ThreadID]*state, len(states))
	for _, p := range batch {
		p.out, p.err = Outcome{}, nil
		if p.after != nil && p.after.err != nil {
			p.err = p.after.err
			continue
		}
		s, ok := states[p.ThreadID]
		if !ok || s.OrgID != p.OrgID {
			p.err = domain.NotFoundf("there is no such conversation")
			continue
		}
		s.mails = l.mails
		from := len(w.events)
		if p.out, p.err = decide(s, &w, p.Change); p.err == nil {
			touched[s.ID] = s
			p.out.Leaves = s.tell(&w, from) || p.out.Leaves
		}
	}
	if len(touched) == 0 {
		rollback(ctx, conn)
		return nil
	}
	err = l.bear(ctx, conn, batch, touched, &w)
	if err == nil {
		err = write(ctx, conn, touched, &w)
	}
	if err != nil {
		l.unborn(w.births)
		rollback(ctx, conn)
		return err
	}
	l.born(w.births)
	return nil
}

func rollback(ctx context.Context, conn *pgxpool.Conn) {
	if conn.Conn().PgConn().TxStatus() != 'I' {
		_, _ = conn.Exec(ctx, "rollback")
	}
}

// Threads are locked in id order, so that two nodes never deadlock, and with a lock that lets other rows go on referring to them.
// At READ COMMITTED every statement takes a snapshot of its own, so those that follow see all that was committed before the locks
// were granted.
var lockThreads = newPick(`
SELECT t.id::text, t.org_id::text, coalesce(t.contact_id::text, ''), coalesce(t.widget_id::text, ''), coalesce(t.agent_id::text, ''),
       t.channel, t.correlation_key, t.handling, t.epoch, coalesce(t.assignee_id::text, ''),
       t.last_seq, t.last_inbound, t.answered, t.visitor_read, t.team_read, t.notes, coalesce(t.last_message_at, 'epoch'), t.labels, coalesce(t.merged_into::text, ''),
       coalesce(t.wait_due, 'epoch'), coalesce(t.offered_at, 'epoch'), coalesce(t.waited_at, 'epoch'),
       t.created_at, t.updated_at, t.window_start, t.window_count, t.day::timestamptz, t.day_count,
       c.id IS NOT NULL, coalesce(c.opted_out, false), coalesce(c.name, ''), coalesce(c.email, ''), c.erased_at IS NOT NULL,
       w.id IS NOT NULL, coalesce(NOT w.enabled, false), coalesce(w.webchat_enabled, false), coalesce(w.daily_cap, 0), coalesce(w.rate_messages, 0),
       coalesce(w.rate_window_secs, 0), coalesce(w.fallback_text, ''), coalesce(nullif(w.appearance->>'title', ''), w.name, ''),
       coalesce(w.appearance->>'locale', ''), coalesce(w.handoff_after_seconds, 0), coalesce(w.waiting_text, ''),
       coalesce(a.id::text, ''), coalesce(a.org_id::text, ''), coalesce(a.name, ''), coalesce(a.enabled, false),
       coalesce(a.send_mode = 'suggest', false), coalesce(a.settle_ms, 0), coalesce(a.max_attempts, 1), coalesce(a.give_up_seconds, 1),
       coalesce((SELECT true FROM webhooks h WHERE h.org_id = t.org_id AND h.enabled LIMIT 1), false),
       coalesce(ch.id::text, ''), coalesce(ch.kind, ''), coalesce(ch.enabled, false), coalesce(ch.reply_url <> '', false),
       CASE WHEN ch.kind = 'chatwoot' THEN coalesce(ch.config->>'fallback_text', '') ELSE '' END,
       clock_timestamp()
FROM threads t
LEFT JOIN contacts c ON c.id = t.contact_id
LEFT JOIN widgets w ON w.id = t.widget_id
LEFT JOIN agents a ON a.id = CASE WHEN t.widget_id IS NULL THEN t.agent_id ELSE w.agent_id END
LEFT JOIN channels ch ON t.widget_id IS NULL AND ch.org_id = t.org_id AND ch.name = t.channel
WHERE t.id = {ids}
ORDER BY t.id
FOR NO KEY UPDATE OF t`)

var readOpen = newPick(`
SELECT id::text, org_id::text, thread_id::text, coalesce(agent_id::text, ''), status, skip_reason, from_seq, to_seq, first_at, due_at,
       attempts, coalesce(tried_at, 'epoch'), token, replies, coalesce(lease_until, 'epoch'), last_error, created_at
FROM dispatches WHERE thread_id = {ids} AND status IN ('queued', 'running')`)

const readKnown = `
SELECT e.channel, e.kind, e.external_id, ` + messageColumns + `
FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::text[]) AS k(org_id, channel, kind, external_id)
JOIN events e ON e.org_id = k.org_id AND e.channel = k.channel AND e.kind = k.kind AND e.external_id = k.external_id
JOIN messages m ON m.id = e.message_id`

// lock begins the transaction and reads the states of the batch's threads.
func lock(ctx context.Context, conn *pgxpool.Conn, batch []*pending) (map[domain.ThreadID]*state, error) {
	states := make(map[domain.ThreadID]*state, len(batch))
	known := map[domain.OrgID]map[eventKey]domain.Message{}
	waiting := map[domain.AttachmentID]*waitingFile{}
	events := map[domain.OrgID]map[eventKey]domain.EventID{}
	var ids, orgs, channels, kinds, externals, files []string
	for _, p := range batch {
		if id := string(p.ThreadID); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if known[p.OrgID] == nil {
			known[p.OrgID] = map[eventKey]domain.Message{}
		}
		for _, f := range filesOf(p.Change) {
			files = append(files, string(f))
		}
		if k := p.Change.key(p.ThreadID); k.external != "" {
			orgs, channels = append(orgs, string(p.OrgID)), append(channels, k.channel)
			kinds, externals = append(kinds, k.kind), append(externals, k.external)
		}
	}
	b := &pgx.Batch{}
	b.Queue("begin")
	lockThreads.queue(b, ids).Query(func(r pgx.Rows) error {
		for r.Next() {
			s, err := scanState(r)
			if err != nil {
				return err
			}
			if s.known = known[s.OrgID]; s.known == nil { // asked for under another organisation: refused later
				s.known = map[eventKey]domain.Message{}
			}
			s.waiting, s.events = waiting, events[s.OrgID]
			states[s.ID] = s
		}
		return r.Err()
	})
	readOpen.queue(b, ids).Query(scanOpen(states))
	queueEventsKnown(b, batch, events)
	if len(files) > 0 {
		b.Queue(lockFiles, files).Query(scanFiles(waiting))
	}
	if len(orgs) > 0 {
		b.Queue(readKnown, orgs, channels, kinds, externals).Query(scanKnown(known))
	}
	return states, conn.SendBatch(ctx, b).Close()
}

// scanOpen gives each thread its open dispatch.
func scanOpen(states map[domain.ThreadID]*state) func(pgx.Rows) error {
	return func(r pgx.Rows) error {
		for r.Next() {
			var d domain.Dispatch
			if err := r.Scan(&d.ID, &d.OrgID, &d.ThreadID, &d.AgentID, &d.Status, &d.SkipReason, &d.FromSeq, &d.ToSeq, &d.FirstAt, &d.DueAt,
				&d.Attempts, &d.TriedAt, &d.Token, &d.Replies, &d.LeaseUntil, &d.LastError, &d.CreatedAt); err != nil {
				return err
			}
			d.TriedAt = sinceEpoch(d.TriedAt)
			states[d.ThreadID].open = &d
		}
		return r.Err()
	}
}

// scanKnown notes which of the batch's messages are there already.
func scanKnown(known map[domain.OrgID]map[eventKey]domain.Message) func(pgx.Rows) error {
	return func(r pgx.Rows) error {
		for r.Next() {
			var k eventKey
			m, err := scanMessage(r, &k.channel, &k.kind, &k.external)
			if err != nil {
				return err
			}
			known[m.OrgID][k] = m
		}
		return r.Err()
	}
}

func scanState(r pgx.Rows) (*state, error) {
	var s state
	var rateWindow, handoffAfter, settle, giveUp int
	if err := r.Scan(&s.ID, &s.OrgID, &s.ContactID, &s.WidgetID, &s.AgentID, &s.Channel, &s.CorrelationKey, &s.Handling, &s.Epoch, &s.AssigneeID,
		&s.LastSeq, &s.LastInbound, &s.Answered, &s.VisitorRead, &s.TeamRead, &s.Notes, &s.LastMessageAt, &s.Labels, &s.MergedInto,
		&s.WaitDue, &s.OfferedAt, &s.WaitedAt,
		&s.CreatedAt, &s.UpdatedAt, &s.windowStart, &s.windowCount, &s.day, &s.dayCount,
		&s.contact.known, &s.contact.optedOut, &s.contact.name, &s.contact.email, &s.contact.erased,
		&s.widget.known, &s.widget.disabled, &s.widget.webchatEnabled, &s.widget.dailyCap, &s.widget.rateMessages, &rateWindow, &s.widget.fallback, &s.widget.title,
		&s.widget.locale, &handoffAfter, &s.widget.waitingText,
		&s.agent.id, &s.agent.orgID, &s.agent.name, &s.agent.enabled, &s.agent.suggest, &settle, &s.agent.maxAttempts, &giveUp,
		&s.hooked,
		&s.channel.id, &s.channel.kind, &s.channel.enabled, &s.channel.replies, &s.channel.fallback,
		&s.now); err != nil {
		return nil, err
	}
	s.widget.rateWindow = time.Duration(rateWindow) * time.Second
	s.widget.handoffAfter = time.Duration(handoffAfter) * time.Second
	s.WaitDue, s.OfferedAt, s.WaitedAt = sinceEpoch(s.WaitDue), sinceEpoch(s.OfferedAt), sinceEpoch(s.WaitedAt)
	s.agent.settle = time.Duration(settle) * time.Millisecond
	s.agent.giveUp = time.Duration(giveUp) * time.Second
	if s.now.Before(s.UpdatedAt) { // the clock was set back: a thread's time still only goes forward
		s.ahead = s.UpdatedAt.Sub(s.now)
		s.now = s.UpdatedAt
	}
	s.now = s.now.UTC()
	return &s, nil
}

// sinceEpoch reads a time for which the statements write the epoch when there is none.
func sinceEpoch(t time.Time) time.Time {
	if t.Unix() <= 0 {
		return time.Time{}
	}
	return t.UTC()
}

// orEpoch is the other way round.
func orEpoch(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0)
	}
	return t
}

// column picks one column of many rows.
func column[R, C any](rs []R, f func(R) C) []C {
	cs := make([]C, len(rs))
	for i, r := range rs {
		cs[i] = f(r)
	}
	return cs
}
