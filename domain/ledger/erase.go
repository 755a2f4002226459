package ledger

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// kept are the keys of events' and steps' details that say nothing of anybody: how long, how much, how often, and who of the team.
var kept = []string{
	"routing", "by", "seq", "from_seq", "to_seq", "user_id", "agent_id", "attempt", "attempts", "at", "ms", "ttft_ms", "prompt_tokens",
	"completion_tokens", "cost_usd", "score", "fallback", "waiting", "offered", "away", "retry", "transport", "thread_id", "elsewhere",
}

// skips are the kinds whose reason is one of a fixed list.
var skips = []domain.TimelineKind{domain.MessageReceived, domain.DispatchSkip}

const keptOf = `(SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}') FROM jsonb_each(e.detail) AS d
    WHERE d.key IN (?1) OR d.key = 'reason' AND e.kind IN (?2))`

// Each statement takes the threads as ?0.
var erasures = []string{
	`DELETE FROM attachments WHERE thread_id IN (?0)`,
	`DELETE FROM replays WHERE thread_id IN (?0)`,
	`DELETE FROM golden_threads WHERE thread_id IN (?0)`,
	`DELETE FROM thread_grams WHERE thread_id IN (?0)`,
	`DELETE FROM deliveries WHERE thread_id IN (?0) AND (status <> 'done' OR transport = 'webhook')`,
	`UPDATE deliveries SET target = '', payload = '{}', last_error = '', answer = '' WHERE thread_id IN (?0)`,
	`UPDATE messages SET content = '', content_type = 'text', client_id = '', session_id = NULL, citations = '[]', attachments = NULL,
       author_name = CASE author_kind WHEN 'visitor' THEN 'Visitor' ELSE author_name END WHERE thread_id IN (?0)`,
	`UPDATE events e SET detail = ` + keptOf + `, external_id = CASE WHEN e.channel IN ('webchat', 'team') THEN e.id::text ELSE e.external_id END
       WHERE e.thread_id IN (?0)`,
	`UPDATE turn_steps e SET detail = ` + keptOf + `, swept = true WHERE e.thread_id IN (?0)`,
	`UPDATE turns SET error = CASE error WHEN '' THEN '' ELSE 'erased' END WHERE thread_id IN (?0)`,
	`UPDATE dispatches SET last_error = '', status = CASE WHEN status IN ('queued', 'running') THEN 'skipped' ELSE status END,
       skip_reason = CASE WHEN status IN ('queued', 'running') THEN 'contact_unresolved' ELSE skip_reason END, updated_at = clock_timestamp()
       WHERE thread_id IN (?0)`,
	`DELETE FROM chatwoot_reports r USING threads t WHERE t.id IN (?0) AND t.correlation_key = 'chatwoot:' || r.channel_id::text || ':' || r.conversation
       AND r.org_id = t.org_id AND r.taken_at IS NULL`,
	`UPDATE threads SET title = '', labels = '{}', handling = 'closed', assignee_id = NULL, epoch = epoch + 1, answered = last_inbound, searchable = last_seq,
       wait_due = NULL, offered_at = NULL, waited_at = NULL, updated_at = clock_timestamp() WHERE id IN (?0)`,
}

// EraseContact takes everything a contact said, was told and was: their lines and the answers, files, visits, profile and names, in
// the threads' records as well. What stays are numbers: that there was a contact, their threads, when how many lines came and what
// they led to, and the external ids under which events came from other systems, so that one that comes again is not taken for new.
// Turns in progress are stopped. Another organisation's is NotFound; erasing twice changes nothing.
func (l *Ledger) EraseContact(ctx context.Context, org domain.OrgID, id domain.ContactID) (c domain.Contact, err error) {
	var outs []Outcome
	for try := 1; ; try++ {
		err = l.InTx(ctx, func(tx *Ledger) (err error) {
			c, outs, err = tx.eraseContact(ctx, org, id)
			return err
		})
		if err == nil || ctx.Err() != nil || try == identifyTries || !contended(err) {
			break
		}
	}
	if err == nil && len(outs) > 0 {
		for _, f := range l.heard {
			f(outs)
		}
	}
	return c, err
}

func (tx *Ledger) eraseContact(ctx context.Context, org domain.OrgID, id domain.ContactID) (c domain.Contact, outs []Outcome, err error) {
	known, err := tx.LockContact(ctx, org, id) // first, as everybody who takes a contact and its threads
	if err != nil {
		return c, nil, err
	}
	threads, err := tx.lockThreadsOf(ctx, org, id)
	if err != nil {
		return c, nil, err
	}
	if outs, err = tx.eraseThreads(ctx, threads); err != nil {
		return c, nil, err
	}
	for _, sql := range []string{
		`DELETE FROM attachments WHERE org_id = ?0 AND contact_id = ?1`, // sent, and with no message yet
		`DELETE FROM sessions WHERE org_id = ?0 AND contact_id = ?1`,
	} {
		if _, err := tx.NewRaw(sql, org, id).Exec(ctx); err != nil {
			return c, nil, err
		}
	}
	c = known.Contact
	err = tx.NewRaw(`UPDATE contacts SET external_id = NULL, name = '', email = '', phone = '', profile = '{}', stub = true, opted_out = true,
updated_at = now(), erased_at = coalesce(erased_at, now()) WHERE org_id = ? AND id = ? RETURNING *`, org, id).Scan(ctx, &c)
	return c, outs, err
}

func (tx *Ledger) eraseThreads(ctx context.Context, threads []domain.Thread) (outs []Outcome, err error) {
	if len(threads) == 0 {
		return nil, nil
	}
	ids := column(threads, func(t domain.Thread) domain.ThreadID { return t.ID })
	var running []struct {
		ID       domain.DispatchID
		ThreadID domain.ThreadID
	}
	if err := tx.NewRaw(`SELECT id, thread_id FROM dispatches WHERE thread_id IN (?) AND status = 'running'`, bun.List(ids)).Scan(ctx, &running); err != nil {
		return nil, err
	}
	for _, sql := range erasures {
		if _, err := tx.NewRaw(sql, bun.List(ids), bun.List(kept), bun.List(skips)).Exec(ctx); err != nil {
			return nil, err
		}
	}
	stopped := map[domain.ThreadID]domain.DispatchID{}
	for _, d := range running {
		stopped[d.ThreadID] = d.ID
	}
	for _, t := range threads {
		t.Handling, t.AssigneeID, t.Epoch = domain.HandlingClosed, "", t.Epoch+1
		outs = append(outs, Outcome{Thread: t, Before: t.LastSeq, Moved: true, Stopped: stopped[t.ID]})
	}
	return outs, nil
}
