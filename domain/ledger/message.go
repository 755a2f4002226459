package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// messageColumns are what scanMessage reads, of a messages row called m.
const messageColumns = `m.id::text, m.org_id::text, m.thread_id::text, m.seq, m.client_id, coalesce(m.session_id::text, ''), m.direction,
m.author_kind, m.author_name, m.author_id, m.content, m.content_type, m.citations, coalesce(m.turn_id::text, ''), m.created_at,
m.attachments`

// scanMessage reads messageColumns, after whatever the caller has selected before them.
func scanMessage(r pgx.Rows, before ...any) (domain.Message, error) {
	var m domain.Message
	var citations, attachments []byte
	err := r.Scan(append(before, &m.ID, &m.OrgID, &m.ThreadID, &m.Seq, &m.ClientID, &m.SessionID, &m.Direction,
		&m.Author.Kind, &m.Author.Name, &m.AuthorID, &m.Content, &m.ContentType, &citations, &m.TurnID, &m.CreatedAt, &attachments)...)
	if err == nil && len(citations) > 2 {
		err = json.Unmarshal(citations, &m.Citations)
	}
	if err == nil && attachments != nil {
		err = json.Unmarshal(attachments, &m.Attachments)
	}
	m.CreatedAt = m.CreatedAt.UTC()
	return m, err
}

const messagesAfter = `SELECT ` + messageColumns + ` FROM messages m
WHERE m.thread_id = $1::text::uuid AND m.org_id = $2::text::uuid AND m.seq > $3 ORDER BY m.seq LIMIT $4`

// MessagesAfter reads a thread's messages with a seq above after, oldest first, at most limit.
func (l *Ledger) MessagesAfter(ctx context.Context, org domain.OrgID, thread domain.ThreadID, after int64, limit int) ([]domain.Message, error) {
	return l.messages(ctx, messagesAfter, thread, org, after, limit)
}

const messageByID = `SELECT ` + messageColumns + ` FROM messages m
WHERE m.id = $3::text::uuid AND m.thread_id = $1::text::uuid AND m.org_id = $2::text::uuid`

// Message reads one line of a thread.
func (l *Ledger) Message(ctx context.Context, org domain.OrgID, thread domain.ThreadID, id domain.MessageID) (domain.Message, error) {
	rows, err := l.hot.Query(ctx, messageByID, string(thread), string(org), string(id))
	if err != nil {
		return domain.Message{}, classify(err)
	}
	m, err := pgx.CollectExactlyOneRow(rows, func(pgx.CollectableRow) (domain.Message, error) { return scanMessage(rows) })
	return m, classify(err)
}

const messagesByID = `SELECT ` + messageColumns + ` FROM messages m
WHERE m.id = ANY ($3::text[]::uuid[]) AND m.thread_id = $1::text::uuid AND m.org_id = $2::text::uuid ORDER BY m.seq`

// MessagesOf reads those of a thread's messages that have one of the ids, oldest first.
func (l *Ledger) MessagesOf(ctx context.Context, org domain.OrgID, thread domain.ThreadID, ids []domain.MessageID) ([]domain.Message, error) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	rows, err := l.hot.Query(ctx, messagesByID, string(thread), string(org), names)
	if err != nil {
		return nil, classify(err)
	}
	ms, err := pgx.CollectRows(rows, func(pgx.CollectableRow) (domain.Message, error) { return scanMessage(rows) })
	return ms, classify(err)
}

const messagesBefore = `SELECT * FROM (SELECT ` + messageColumns + ` FROM messages m
WHERE m.thread_id = $1::text::uuid AND m.org_id = $2::text::uuid AND m.seq < $3 ORDER BY m.seq DESC LIMIT $4) AS page ORDER BY seq`

// MessagesBefore reads the page of a thread's messages just below before, oldest first, at most limit.
func (l *Ledger) MessagesBefore(ctx context.Context, org domain.OrgID, thread domain.ThreadID, before int64, limit int) ([]domain.Message, error) {
	return l.messages(ctx, messagesBefore, thread, org, before, limit)
}

const lastSeqBefore = `SELECT seq FROM messages WHERE thread_id = $1::text::uuid AND org_id = $2::text::uuid AND created_at < $3 ORDER BY seq DESC LIMIT 1`

// LastSeqBefore is the seq of the last of a thread's messages that was stored before a time; 0 when none was.
func (l *Ledger) LastSeqBefore(ctx context.Context, org domain.OrgID, thread domain.ThreadID, at time.Time) (seq int64, err error) {
	err = l.hot.QueryRow(ctx, lastSeqBefore, string(thread), string(org), at).Scan(&seq)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return seq, classify(err)
}

func (l *Ledger) messages(ctx context.Context, sql string, thread domain.ThreadID, org domain.OrgID, seq int64, limit int) ([]domain.Message, error) {
	rows, err := l.hot.Query(ctx, sql, string(thread), string(org), seq, limit)
	if err != nil {
		return nil, classify(err)
	}
	ms, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (domain.Message, error) { return scanMessage(rows) })
	return ms, classify(err)
}
