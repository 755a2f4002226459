package ledger

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// MissedAfter is how long a visitor has to read a reply in the chat before it is mailed to them.
const MissedAfter = 5 * time.Minute

// missable is a thread that has got a reply which its visitor may miss, and where they can be reached then.
type missable struct {
	thread *state
	email  string
	at     time.Time
}

// mailMissed tells a visitor what they have not read. It is written when it is sent, from what the thread is then, so that one that waits
// is enough for all that comes meanwhile.
const mailMissed = `{"letter":"missed_replies"}`

// mayBeMissed has a reply mailed to a visitor who does not come back for it, if there is a way to.
func (s *state) mayBeMissed(w *rows, m *domain.Message) {
	if !s.mails || !reply(*m) || !s.widget.known || s.contact.email == "" || s.contact.optedOut {
		return
	}
	w.missed = append(w.missed, missable{s, s.contact.email, s.now})
}

// reply reports whether a line is somebody's answer: no visitor's, no note, and none of Parley's own.
func reply(m domain.Message) bool {
	return m.Direction == domain.Outbound && (m.Author.Kind == domain.AuthorAgent || m.Author.Kind == domain.AuthorHuman)
}

const insertMissable = `
INSERT INTO deliveries (id, org_id, thread_id, transport, target, payload, status, due_at, give_up_at, created_at, updated_at)
SELECT DISTINCT ON (m.thread_id) gen_random_uuid(), m.org_id, m.thread_id, 'mail', m.email, $5::jsonb, 'queued', m.at + $6 * interval '1 millisecond',
       m.at + interval '25 hours', m.at, m.at
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[], $4::timestamptz[]) AS m(org_id, thread_id, email, at)
WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.thread_id = m.thread_id AND d.transport = 'mail' AND d.target = m.email AND d.status = 'queued'
                  AND d.payload = $5::jsonb)`

func queueMissable(b *pgx.Batch, ms []missable) {
	if len(ms) == 0 {
		return
	}
	b.Queue(insertMissable,
		column(ms, func(m missable) string { return string(m.thread.OrgID) }),
		column(ms, func(m missable) string { return string(m.thread.ID) }),
		column(ms, func(m missable) string { return m.email }),
		column(ms, func(m missable) time.Time { return m.at }),
		mailMissed, float64(MissedAfter.Milliseconds()))
}

// MissedReplies is what a visitor has not read of a conversation, and was not mailed before.
type MissedReplies struct {
	Widget domain.Widget // its origins, and what it is called and looks like
	Locale string        // the visitor's; empty: unknown
	Page   string        // where they were last
	Lines  []domain.Message
}

// Replies after what the visitor has read, or written themselves, and after what they were mailed. The thread is locked for a moment: who
// adds a line while a mail is being written either comes before it is read, or finds that the mail waits no longer and writes down another
// one. A visitor who never said on which page they are does not come by the widget: clients of other dialects do not tell what was read.
const missed = `
WITH thread AS MATERIALIZED (
    SELECT t.id, t.org_id, t.widget_id, t.contact_id, t.visitor_read AS seen
    FROM threads t JOIN contacts c ON c.id = t.contact_id
    WHERE t.id = $1::text::uuid AND t.org_id::text = $2 AND c.email = $3 AND NOT c.opted_out AND c.erased_at IS NULL
    FOR SHARE OF t
)
SELECT t.seen, coalesce((SELECT max(d.external_id::bigint) FROM deliveries d
           WHERE d.thread_id = t.id AND d.transport = 'mail' AND d.target = $3 AND d.status = 'done' AND d.external_id ~ '^[0-9]+$'), 0),
       w.name, w.appearance, w.allowed_origins, coalesce(s.locale, ''), s.page->>'url'
FROM thread t JOIN widgets w ON w.id = t.widget_id
JOIN LATERAL (SELECT locale, page FROM sessions WHERE contact_id = t.contact_id ORDER BY last_seen_at DESC LIMIT 1) s ON coalesce(s.page->>'url', '') <> ''`

// MissedReplies reads what is to be mailed to the visitor of a thread at an address, of many lines the last most. Nothing at all if it is
// theirs no longer, or they have opted out.
func (l *Ledger) MissedReplies(ctx context.Context, org domain.OrgID, thread domain.ThreadID, email string, most int) (m MissedReplies, err error) {
	var seen, mailed int64
	err = l.writers.QueryRow(ctx, missed, string(thread), string(org), email).
		Scan(&seen, &mailed, &m.Widget.Name, &m.Widget.Appearance, &m.Widget.AllowedOrigins, &m.Locale, &m.Page)
	if err == pgx.ErrNoRows {
		return MissedReplies{}, nil
	} else if err != nil {
		return MissedReplies{}, classify(err)
	}
	after := max(seen, mailed)
	for {
		page, err := l.MessagesAfter(ctx, org, thread, after, 100)
		if err != nil || len(page) == 0 {
			return m, err
		}
		after = page[len(page)-1].Seq
		m.Lines = append(m.Lines, slices.DeleteFunc(page, func(line domain.Message) bool { return !reply(line) })...)
		m.Lines = m.Lines[max(0, len(m.Lines)-most):]
	}
}

// MailedUpTo notes in a delivery's reply up to which line a visitor has been mailed with it.
func (d Delivery) MailedUpTo(seq int64) { d.Reply.ExternalID = strconv.FormatInt(seq, 10) }

// DropDelivery forgets a delivery that has nothing to tell any more.
func (l *Ledger) DropDelivery(ctx context.Context, d Delivery) error {
	_, err := l.writers.Exec(ctx, `DELETE FROM deliveries WHERE id = $1::text::uuid AND token = $2 AND status = 'running'`, string(d.ID), d.Token)
	return classify(err)
}
