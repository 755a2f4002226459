package ledger

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// ErrJoined says that a thread's lines were joined to another's: whoever wants to change it must look for that one. It comes
// inside a Conflict.
var ErrJoined = errors.New("ledger: the thread was joined to another")

func joined() error {
	return &domain.Error{Kind: domain.Conflict, Msg: "this conversation has become part of another one of the same person", Err: ErrJoined}
}

// joinThreads gives a known contact the threads of a stub. Where both have said something on a channel, the stub's lines follow the
// known one's under new seqs, in order and with their old times; where only one has, that thread stays and nothing in it is
// renumbered. What is left of the other points to it.
func (tx *Ledger) joinThreads(ctx context.Context, known, stub domain.Contact) (outs []Outcome, err error) {
	var all []domain.Thread
	if err := tx.NewRaw(`SELECT * FROM threads WHERE org_id = ? AND contact_id IN (?, ?) ORDER BY id FOR UPDATE`,
		known.OrgID, known.ID, stub.ID).Scan(ctx, &all); err != nil {
		return nil, err
	}
	theirs := map[string]domain.Thread{}
	for _, t := range all {
		if t.ContactID == known.ID && t.MergedInto == "" && !aside(t) && !ofChatwoot(t) {
			theirs[t.Channel] = t
		}
	}
	for _, t := range all {
		if t.ContactID != stub.ID {
			continue
		}
		if _, err := tx.NewRaw(`UPDATE threads SET contact_id = ? WHERE id = ?`, known.ID, t.ID).Exec(ctx); err != nil {
			return nil, err
		}
		if t.MergedInto != "" || ofChatwoot(t) {
			continue
		}
		if aside(t) {
			if _, err := tx.NewRaw(`UPDATE threads SET correlation_key = ? WHERE id = ?`, asideKey(known.ID, t.Channel, t.ID), t.ID).Exec(ctx); err != nil {
				return nil, err
			}
			continue
		}
		into, has := theirs[t.Channel]
		gone := t
		if has && untouched(into) && !untouched(t) {
			into, gone = t, into
		}
		if has {
			if err := tx.joinThread(ctx, into, gone); err != nil {
				return nil, err
			}
			outs = append(outs, Outcome{Thread: gone, Before: gone.LastSeq, Moved: true})
		} else {
			into = t
		}
		before := into.LastSeq
		if err := tx.NewRaw(`UPDATE threads SET correlation_key = ?, widget_id = coalesce(?, widget_id) WHERE id = ? RETURNING *`,
			CorrelationKey(known.ID, t.Channel), bun.NullZero(t.WidgetID), into.ID).Scan(ctx, &into); err != nil {
			return nil, err
		}
		if has && gone.LastSeq > 0 {
			if err := tx.tellJoined(ctx, into, gone.ID); err != nil {
				return nil, err
			}
		}
		outs = append(outs, Outcome{Thread: into, Before: before, Moved: true, Due: time.Now()})
	}
	return outs, nil
}

// aside reports whether a thread is one of several that its contact may have over the channel: it stays one of its own.
func aside(t domain.Thread) bool { return t.CorrelationKey == asideKey(t.ContactID, t.Channel, t.ID) }

// ofChatwoot reports whether a thread is a conversation there, of which a contact may have several: it stays one of its own.
func ofChatwoot(t domain.Thread) bool {
	_, ok := domain.ChatwootConversation(t.CorrelationKey)
	return ok
}

// untouched reports whether nothing has happened in a thread that anybody could miss.
func untouched(t domain.Thread) bool {
	return t.LastSeq == 0 && t.LastMessageAt.IsZero() && t.Notes == 0
}

// joinThread appends all of one thread to another and leaves a signpost. Both are locked.
func (tx *Ledger) joinThread(ctx context.Context, into, gone domain.Thread) error {
	at := into.LastSeq
	handling, assignee := heir(into, gone)
	if err := tx.joinDispatches(ctx, into, gone, handling); err != nil {
		return err
	}
	for _, sql := range []string{
		`UPDATE messages SET thread_id = ?0, seq = seq + ?1 WHERE thread_id = ?2`,
		`UPDATE turns SET thread_id = ?0, to_seq = to_seq + ?1 WHERE thread_id = ?2`,
		`UPDATE dispatches SET thread_id = ?0, from_seq = from_seq + ?1, to_seq = to_seq + ?1 WHERE thread_id = ?2`,
		`UPDATE receipts SET thread_id = ?0, from_seq = from_seq + ?1, to_seq = to_seq + ?1 WHERE thread_id = ?2`,
	} {
		if _, err := tx.NewRaw(sql, into.ID, at, gone.ID).Exec(ctx); err != nil {
			return err
		}
	}
	// To the search, the joined lines are new ones of the thread that has them now.
	if _, err := tx.NewRaw(`DELETE FROM thread_grams WHERE thread_id = ?`, gone.ID).Exec(ctx); err != nil {
		return err
	}
	if err := tx.repoint(ctx, "threads", string(gone.ID), string(into.ID), "messages", "turns", "dispatches", "receipts"); err != nil {
		return err
	}
	if err := tx.inherit(ctx, into, gone, handling, assignee); err != nil {
		return err
	}
	if _, err := tx.NewRaw(`UPDATE threads SET merged_into = ? WHERE merged_into = ?`, into.ID, gone.ID).Exec(ctx); err != nil {
		return err
	}
	if _, err := tx.NewRaw(`UPDATE threads SET merged_into = ?, correlation_key = ?, handling = 'closed', epoch = epoch + 1, assignee_id = NULL,
last_seq = 0, last_inbound = 0, answered = 0, visitor_read = 0, team_read = 0, notes = 0, last_message_at = NULL, wait_due = NULL, offered_at = NULL, waited_at = NULL, updated_at = now() WHERE id = ?`,
		into.ID, "joined:"+string(gone.ID), gone.ID).Exec(ctx); err != nil {
		return err
	}
	if gone.LastSeq == 0 {
		return nil
	}
	_, err := tx.NewRaw(`INSERT INTO events (id, org_id, thread_id, channel, kind, external_id, detail, created_at)
VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6, clock_timestamp())`,
		NewID[domain.EventID](), into.OrgID, into.ID, into.Channel, domain.ThreadJoined, gone.ID,
		jsonOf(map[string]any{"thread_id": gone.ID, "from_seq": at + 1, "to_seq": at + gone.LastSeq})).Exec(ctx)
	return err
}

// heir is who has the joined thread: a person keeps it, a wish for one stands, else whatever is more awake.
func heir(into, gone domain.Thread) (domain.Handling, domain.UserID) {
	rank := []domain.Handling{domain.HandlingHuman, domain.HandlingWaiting, domain.HandlingAgent, domain.HandlingClosed}
	if slices.Index(rank, gone.Handling) < slices.Index(rank, into.Handling) && !untouched(gone) {
		return gone.Handling, gone.AssigneeID
	}
	return into.Handling, into.AssigneeID
}

// inherit writes the joined thread's state. A change of hands raises the epoch, so that nobody talks over whoever has it now.
// Whoever waits goes on waiting where the handling came from. What was said in both counts against the limits: a visitor does not
// get a second allowance by saying who they are.
func (tx *Ledger) inherit(ctx context.Context, into, gone domain.Thread, handling domain.Handling, assignee domain.UserID) error {
	epoch := into.Epoch
	if handling != into.Handling || assignee != into.AssigneeID {
		epoch++
	}
	at := into.LastSeq
	after := func(seq int64) int64 { // a mark of the stub's thread in the joined one
		if seq == 0 {
			return 0
		}
		return at + seq
	}
	read := func(into, gone int64) int64 { // nobody has read past what they had not read before
		if into < at {
			return into
		}
		return at + gone
	}
	labels := slices.Clone(into.Labels)
	for _, l := range gone.Labels {
		if !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	last := into.LastMessageAt
	if gone.LastMessageAt.After(last) {
		last = gone.LastMessageAt
	}
	_, err := tx.NewRaw(`UPDATE threads t SET handling = ?0, assignee_id = ?1, epoch = ?2, last_seq = ?3, last_inbound = ?4, answered = ?5,
visitor_read = ?6, team_read = ?7, notes = ?8, last_message_at = ?9, labels = ?10, updated_at = greatest(t.updated_at, g.updated_at),
window_start = greatest(t.window_start, g.window_start), window_count = t.window_count + g.window_count,
day = greatest(t.day, g.day), day_count = CASE WHEN t.day = g.day THEN t.day_count + g.day_count WHEN t.day > g.day THEN t.day_count ELSE g.day_count END,
wait_due = coalesce(CASE WHEN t.handling = ?0 THEN t.wait_due END, CASE WHEN g.handling = ?0 THEN g.wait_due END),
offered_at = coalesce(CASE WHEN t.handling = ?0 THEN t.offered_at END, CASE WHEN g.handling = ?0 THEN g.offered_at END),
waited_at = coalesce(CASE WHEN t.handling = ?0 THEN t.waited_at END, CASE WHEN g.handling = ?0 THEN g.waited_at END)
FROM threads g WHERE t.id = ?11 AND g.id = ?12`,
		handling, bun.NullZero(assignee), epoch, at+gone.LastSeq, cmp.Or(after(gone.LastInbound), into.LastInbound), cmp.Or(after(gone.Answered), into.Answered),
		read(into.VisitorRead, gone.VisitorRead), read(into.TeamRead, gone.TeamRead), into.Notes+gone.Notes, bun.NullZero(last), bunArray(labels),
		into.ID, gone.ID).Exec(ctx)
	return err
}

// joinDispatches sees to the answers that were still due in either thread. A turn in progress in the stub's is given up, and its dispatch
// is due again at once: the worker could no longer store its result, and nothing of it was shown. If both threads wait for an answer, one
// turn answers both.
func (tx *Ledger) joinDispatches(ctx context.Context, into, gone domain.Thread, handling domain.Handling) error {
	if _, err := tx.NewRaw(`UPDATE turns SET status = 'lost', error = 'the conversation became part of another', finished_at = clock_timestamp()
WHERE thread_id = ? AND status = 'running'`, gone.ID).Exec(ctx); err != nil {
		return err
	}
	if _, err := tx.NewRaw(`UPDATE dispatches SET status = 'queued', due_at = clock_timestamp(), token = token + 1, attempts = greatest(attempts - 1, 0),
lease_until = NULL, updated_at = clock_timestamp() WHERE thread_id = ? AND status = 'running'`, gone.ID).Exec(ctx); err != nil {
		return err
	}
	if handling != domain.HandlingAgent { // a person has it or is awaited: no agent is asked
		_, err := tx.NewRaw(`UPDATE dispatches SET status = 'skipped', skip_reason = ?, updated_at = clock_timestamp()
WHERE thread_id IN (?, ?) AND status IN ('queued', 'running')`, domain.SkipHumanHandling, into.ID, gone.ID).Exec(ctx)
		return err
	}
	_, err := tx.NewRaw(`WITH two AS (
    SELECT a.id AS kept, b.id AS spare, b.to_seq AS to_seq
    FROM dispatches a JOIN dispatches b ON b.thread_id = ?1 AND b.status = 'queued'
    WHERE a.thread_id = ?0 AND a.status IN ('queued', 'running')
), longer AS (
    UPDATE dispatches d SET to_seq = two.to_seq + ?2, updated_at = clock_timestamp() FROM two WHERE d.id = two.kept
)
UPDATE dispatches d SET status = 'done', updated_at = clock_timestamp() FROM two WHERE d.id = two.spare`, into.ID, gone.ID, into.LastSeq).Exec(ctx)
	return err
}
