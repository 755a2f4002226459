package ledger

import (
	"github.com/jackc/pgx/v5"

	"github.com/parley-chat/parley/domain"
)

// waitingFile is a file that no message has taken, locked for the batch.
type waitingFile struct {
	domain.Attachment
	orgID  domain.OrgID
	sender Sender
	taken  bool // by a message of this batch
}

// filesOf are the files that a change wants to take.
func filesOf(c Change) []domain.AttachmentID {
	switch c := c.(type) {
	case Line:
		return c.Attachments
	case PersonReply:
		return c.Attachments
	}
	return nil
}

// files finds what a message of a sender wants to take. It fails, and takes none, if any of them is not there, not theirs or
// taken already.
func (s *state) files(ids []domain.AttachmentID, by Sender) ([]*waitingFile, error) {
	var found []*waitingFile
	for i, id := range ids {
		f := s.waiting[id]
		if f == nil || f.taken || f.orgID != s.OrgID || f.sender != by {
			return nil, domain.RejectAttachment("a file is gone or was sent already: please attach it again")
		}
		for _, earlier := range ids[:i] {
			if earlier == id {
				return nil, domain.RejectAttachment("the same file is attached twice")
			}
		}
		found = append(found, f)
	}
	return found, nil
}

// take gives files to a message.
func take(files []*waitingFile) []domain.Attachment {
	var as []domain.Attachment
	for _, f := range files {
		f.taken = true
		as = append(as, f.Attachment)
	}
	return as
}

// Files are locked after the threads and in id order, so that two nodes never wait for each other. One that a message has taken
// meanwhile is not among them.
const lockFiles = `
SELECT id::text, org_id::text, coalesce(session_id::text, ''), coalesce(user_id::text, ''), name, mime, size, token
FROM attachments WHERE id = ANY($1::text[]::uuid[]) AND thread_id IS NULL
ORDER BY id
FOR UPDATE`

func scanFiles(into map[domain.AttachmentID]*waitingFile) func(pgx.Rows) error {
	return func(r pgx.Rows) error {
		for r.Next() {
			f := &waitingFile{}
			var token string
			if err := r.Scan(&f.ID, &f.orgID, &f.sender.SessionID, &f.sender.UserID, &f.Name, &f.Mime, &f.Size, &token); err != nil {
				return err
			}
			f.URL = fileURL(token, f.Name)
			into[f.ID] = f
		}
		return r.Err()
	}
}

// What belongs to a thread goes with it and no longer with the contact who sent it: they may turn out to be another.
const takeFiles = `
UPDATE attachments a SET thread_id = u.thread_id, message_id = u.message_id, contact_id = NULL
FROM unnest($1::text[]::uuid[], $2::text[]::uuid[], $3::text[]::uuid[]) AS u(id, thread_id, message_id)
WHERE a.id = u.id`

// queueFiles gives files to the messages that took them; without any there is no statement.
func queueFiles(b *pgx.Batch, ms []*domain.Message) {
	var ids, threads, messages []string
	for _, m := range ms {
		for _, a := range m.Attachments {
			ids, threads, messages = append(ids, string(a.ID)), append(threads, string(m.ThreadID)), append(messages, string(m.ID))
		}
	}
	if len(ids) > 0 {
		b.Queue(takeFiles, ids, threads, messages)
	}
}
