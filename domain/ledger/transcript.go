package ledger

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// mailTranscript tells a contact what was said in a conversation. It is written when it is sent.
const mailTranscript = `{"letter":"transcript"}`

// MailTranscript has a conversation mailed to its contact, once for however many ask before it is sent. A mail that waits to tell them what
// they have missed is dropped: this one tells it, too. It fails with NotFound, and with Conflict where there is nobody to mail it to.
func (l *Ledger) MailTranscript(ctx context.Context, org domain.OrgID, thread domain.ThreadID) error {
	c, err := l.Conversation(ctx, org, thread)
	switch {
	case err != nil:
		return err
	case !l.mails || c.ContactEmail == "":
		return domain.Conflictf("there is no way to mail them anything")
	}
	err = l.InTx(ctx, func(tx *Ledger) error {
		if _, err := tx.NewRaw(`DELETE FROM deliveries WHERE thread_id = ? AND transport = ? AND target = ? AND status = 'queued' AND payload IN (?)`,
			thread, TransportMail, c.ContactEmail, bun.List([]string{mailMissed, mailTranscript})).Exec(ctx); err != nil {
			return err
		}
		return tx.Enqueue(ctx, Delivery{OrgID: org, ThreadID: thread, Transport: TransportMail, Target: c.ContactEmail, Payload: json.RawMessage(mailTranscript)})
	})
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

// The thread is locked for a moment, for the same reason as where what was missed is read.
const transcript = `
SELECT coalesce(nullif(w.appearance->>'title', ''), w.name, o.name), c.name, coalesce(nullif(w.appearance->>'locale', ''), s.locale, ''), coalesce(s.timezone, '')
FROM threads t JOIN organisations o ON o.id = t.org_id JOIN contacts c ON c.id = t.contact_id LEFT JOIN widgets w ON w.id = t.widget_id
LEFT JOIN LATERAL (SELECT locale, timezone FROM sessions WHERE contact_id = t.contact_id ORDER BY last_seen_at DESC LIMIT 1) s ON true
WHERE t.id = $1::text::uuid AND t.org_id::text = $2 AND c.email = $3 AND c.erased_at IS NULL
FOR SHARE OF t`

// Transcript reads a conversation for the contact with an address, of many lines the last most. There are none if the address is theirs
// no longer.
func (l *Ledger) Transcript(ctx context.Context, org domain.OrgID, thread domain.ThreadID, email string, most int) (t Transcript, err error) {
	err = l.writers.QueryRow(ctx, transcript, string(thread), string(org), email).Scan(&t.Title, &t.Contact, &t.Locale, &t.Timezone)
	if err == pgx.ErrNoRows {
		return Transcript{}, nil
	} else if err != nil {
		return Transcript{}, classify(err)
	}
	lines, err := l.MessagesBefore(ctx, org, thread, 1<<62, most)
	t.Lines = slices.DeleteFunc(lines, func(m domain.Message) bool { return m.Direction != domain.Inbound && m.Direction != domain.Outbound })
	return t, err
}
