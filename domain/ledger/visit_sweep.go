package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// visitPortion is how many sessions one transaction forgets: it holds their contacts until it ends.
const visitPortion = 500

// silent is a contact of whom nothing is left but that somebody once opened a widget: no session any more, no word in any thread, and
// nothing they, their site or the team told of them.
const silent = `c.stub AND c.external_id IS NULL AND NOT c.opted_out AND c.erased_at IS NULL
AND NOT EXISTS (SELECT FROM sessions s WHERE s.contact_id = c.id)
AND NOT EXISTS (SELECT FROM threads t WHERE t.contact_id = c.id AND (t.last_message_at IS NOT NULL OR t.notes > 0))`

// SweepVisits forgets sessions that have ended, which nobody can come back to, and contacts who are silent without them. Of everybody else
// what was said stays, and so does the profile that their first visit left.
func (l *Ledger) SweepVisits(ctx context.Context) error {
	for range portions {
		if n, err := l.forgetVisits(ctx); err != nil || n < visitPortion {
			return err
		}
	}
	return nil
}

// forgetVisits forgets one portion and says how many sessions that was. It takes the contacts before anything else of theirs, as everybody
// does, and looks again once it has them: what somebody says to a contact meanwhile is not lost with them.
func (l *Ledger) forgetVisits(ctx context.Context) (n int, err error) {
	err = l.InTx(ctx, func(tx *Ledger) error {
		var ended []struct {
			ID        domain.SessionID
			ContactID domain.ContactID
		}
		// Ids are in the order of time. By them the index leads to the sessions that are old enough to have ended, of which those in use are few.
		if err := tx.NewRaw(`SELECT id, contact_id FROM sessions WHERE id < ? AND expires_at < now() LIMIT ?`,
			idsBefore(time.Now().Add(-domain.SessionLifetime)), visitPortion).Scan(ctx, &ended); err != nil || len(ended) == 0 {
			return err
		}
		n = len(ended)
		sessions, contacts := make([]domain.SessionID, n), make([]domain.ContactID, n)
		for i, e := range ended {
			sessions[i], contacts[i] = e.ID, e.ContactID
		}
		for _, step := range []struct {
			sql string
			ids any
		}{
			{`SELECT FROM contacts WHERE id IN (?) ORDER BY id FOR UPDATE`, bun.List(contacts)},
			{`DELETE FROM sessions WHERE id IN (?) AND expires_at < now()`, bun.List(sessions)},
			{`SELECT FROM threads WHERE contact_id IN (SELECT c.id FROM contacts c WHERE c.id IN (?) AND ` + silent + `) ORDER BY id FOR UPDATE`, bun.List(contacts)},
			{`DELETE FROM contacts c WHERE c.id IN (?) AND ` + silent, bun.List(contacts)},
		} {
			if _, err := tx.NewRaw(step.sql, step.ids).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// idsBefore is above every id that NewID made before t, and below every one that it has made since.
func idsBefore(t time.Time) string {
	ms := fmt.Sprintf("%012x", t.UnixMilli())
	return ms[:8] + "-" + ms[8:] + "-7000-8000-000000000000"
}
