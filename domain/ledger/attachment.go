package ledger

import (
	"context"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/parley-chat/parley/domain"
)

// What may be kept of what somebody sends, in bytes.
const (
	maxDailyUploads   = 100 << 20 // of one session in 24 hours
	maxWaitingUploads = 1 << 30   // of one organisation, of files that no message has taken
)

// Sender is who sent a file: a visitor's session, a person of the team or, with neither, a program with an API key. Only the same
// one can send it on with a message.
type Sender struct {
	SessionID domain.SessionID
	UserID    domain.UserID
}

// Upload is a file as it was sent.
type Upload struct {
	OrgID     domain.OrgID
	Sender    Sender
	ContactID domain.ContactID // of a visitor
	Token     string           // unguessable: whoever has it may read the file
	Name      string
	Mime      string
	Bytes     []byte
}

const insertUpload = `
WITH a AS (
    INSERT INTO attachments (id, org_id, session_id, user_id, contact_id, token, name, mime, size)
    VALUES ($1::text::uuid, $2::text::uuid, nullif($3, '')::uuid, nullif($4, '')::uuid, nullif($5, '')::uuid, $6, $7, $8, length($9::bytea))
    RETURNING id, org_id
)
INSERT INTO attachment_bytes (attachment_id, org_id, bytes) SELECT id, org_id, $9::bytea FROM a`

// The uploads of one session are counted one after another.
const lockSession = `SELECT 1 FROM sessions WHERE id = $1::text::uuid AND org_id = $2::text::uuid FOR NO KEY UPDATE`

const countUploads = `
SELECT coalesce((SELECT sum(size) FROM attachments WHERE session_id = $1::text::uuid AND created_at > now() - interval '24 hours'), 0)::bigint,
       coalesce((SELECT sum(size) FROM attachments WHERE org_id = $2::text::uuid AND thread_id IS NULL), 0)::bigint`

// CreateUpload keeps a file for the message that it will come with. It fails with Throttled when a visitor, or all of an
// organisation's, have sent too much.
func (l *Ledger) CreateUpload(ctx context.Context, u Upload) (domain.Attachment, error) {
	a := domain.Attachment{ID: NewID[domain.AttachmentID](), Name: clean(u.Name), Size: int64(len(u.Bytes)), Mime: u.Mime}
	a.URL = fileURL(u.Token, a.Name)
	err := pgx.BeginFunc(ctx, l.readers, func(tx pgx.Tx) error {
		if u.Sender.SessionID != "" {
			if err := roomFor(ctx, tx, u); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, insertUpload, pgx.QueryExecModeCacheStatement, string(a.ID), string(u.OrgID), string(u.Sender.SessionID),
			string(u.Sender.UserID), string(u.ContactID), u.Token, a.Name, u.Mime, u.Bytes)
		return err
	})
	return a, classify(err)
}

func roomFor(ctx context.Context, tx pgx.Tx, u Upload) error {
	session, org := string(u.Sender.SessionID), string(u.OrgID)
	if _, err := tx.Exec(ctx, lockSession, pgx.QueryExecModeCacheStatement, session, org); err != nil {
		return err
	}
	var sent, waiting int64
	if err := tx.QueryRow(ctx, countUploads, pgx.QueryExecModeCacheStatement, session, org).Scan(&sent, &waiting); err != nil {
		return err
	}
	switch size := int64(len(u.Bytes)); {
	case sent+size > maxDailyUploads:
		return &domain.Error{Kind: domain.Throttled, Code: domain.CodeDailyCap, RetryAfter: time.Hour,
			Msg: "that is all the files you can send today, please come back tomorrow"}
	case waiting+size > maxWaitingUploads:
		return &domain.Error{Kind: domain.Throttled, Code: domain.CodeRateLimited, RetryAfter: time.Hour,
			Msg: "too many files are on their way here, please try again later"}
	}
	return nil
}

// WaitingFiles finds those of a person's files that no message has taken, in the order of their ids.
func (l *Ledger) WaitingFiles(ctx context.Context, org domain.OrgID, user domain.UserID, ids []domain.AttachmentID) ([]domain.Attachment, error) {
	var rows []struct {
		ID                domain.AttachmentID
		Name, Mime, Token string
		Size              int64
	}
	err := l.NewRaw(`SELECT id, name, mime, token, size FROM attachments
WHERE org_id = ? AND user_id = ? AND thread_id IS NULL AND id IN (?) ORDER BY id`, org, user, bun.List(ids)).Scan(ctx, &rows)
	as := make([]domain.Attachment, len(rows))
	for i, r := range rows {
		as[i] = domain.Attachment{ID: r.ID, Name: r.Name, Size: r.Size, Mime: r.Mime, URL: fileURL(r.Token, r.Name)}
	}
	return as, classify(err)
}

// fileURL is where a file is read, without this server's address.
func fileURL(token, name string) string { return "/files/" + token + "/" + url.PathEscape(name) }

// SweepUploads forgets files that no message has taken within 24 hours.
func (l *Ledger) SweepUploads(ctx context.Context) error {
	return l.forget(ctx, "attachments", "x.thread_id IS NULL AND x.created_at < now() - interval '24 hours'")
}
