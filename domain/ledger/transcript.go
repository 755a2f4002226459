package ledger

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// mailTranscript tells a contact what was said in a conversation. It is written when it is sent.
const mailTranscript = `{"letter":"transcript"}`

// MailTranscript has a conversation mailed to its contact, once for however many ask before it is sent. It fails with NotFound, and with
// Conflict where there is nobody to mail it to.
func (l *Ledger) MailTranscript(ctx context.Context, org domain.OrgID, thread domain.ThreadID) error {
	c, err := l.Conversation(ctx, org, thread)
	switch {
	case err != nil:
		return err
	case !l.mails || c.ContactEmail == "":
		return domain.Conflictf("there is no way to mail them anything")
	}
	_, err = l.NewRaw(`INSERT INTO deliveries (id, org_id, thread_id, transport, target, payload, status, due_at, created_at, updated_at)
SELECT ?0, ?1, ?2, ?3, ?4, ?5::jsonb, 'queued', clock_timestamp(), clock_timestamp(), clock_timestamp()
WHERE NOT EXISTS (SELECT FROM deliveries d WHERE d.thread_id = ?2 AND d.transport = ?3 AND d.target = ?4 AND d.status = 'queued' AND d.payload = ?5::jsonb)`,
		NewID[domain.DeliveryID](), org, thread, TransportMail, c.ContactEmail, mailTranscript).Exec(ctx)
	return l.again(classify(err))
}

// SendsMail reports whether this program has a way to send mail.
func (l *Ledger) SendsMail() bool { return l.mails }

// Transcript is a conversation as its contact saw it.
type Transcript struct {
	Title    string // what the contact knows us as
	Contact  string // their name, as far as it is known
	Locale   string // theirs, or the widget's; empty: unknown
	Timezone string // theirs; empty: unknown
	Lines    []domain.Message
}

const transcript = `
SELECT coalesce(nullif(w.appearance->>'title', ''), w.name, o.name), c.name, coalesce(nullif(w.appearance->>'locale', ''), s.locale, ''), coalesce(s.timezone, '')
FROM threads t JOIN organisations o ON o.id = t.org_id JOIN contacts c ON c.id = t.contact_id LEFT JOIN widgets w ON w.id = t.widget_id
LEFT JOIN LATERAL (SELECT locale, timezone FROM sessions WHERE contact_id = t.contact_id ORDER BY last_seen_at DESC LIMIT 1) s ON true
WHERE t.id = $1::text::uuid AND t.org_id::text = $2 AND c.email = $3 AND c.erased_at IS NULL`

// Transcript reads a conversation for the contact with an address, of many lines the last most. There are none if the address is theirs
// no longer.
func (l *Ledger) Transcript(ctx context.Context, org domain.OrgID, thread domain.ThreadID, email string, most int) (t Transcript, err error) {
	err = l.hot.QueryRow(ctx, transcript, string(thread), string(org), email).Scan(&t.Title, &t.Contact, &t.Locale, &t.Timezone)
	if err == pgx.ErrNoRows {
		return Transcript{}, nil
	} else if err != nil {
		return Transcript{}, classify(err)
	}
	lines, err := l.MessagesBefore(ctx, org, thread, 1<<62, most)
	t.Lines = slices.DeleteFunc(lines, func(m domain.Message) bool { return m.Direction != domain.Inbound && m.Direction != domain.Outbound })
	return t, err
}
