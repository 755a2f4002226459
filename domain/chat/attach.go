package chat

import (
	"context"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/attach"
	"github.com/parley-chat/parley/domain/ledger"
)

// Attach keeps a file that a visitor will send with a message; without one it is forgotten after 24 hours. It fails with
// attachment_rejected for a file that will not do and where the widget takes none, and with Throttled for too much of it.
func (s *Service) Attach(ctx context.Context, v *Visitor, name string, file []byte) (domain.Attachment, error) {
	if !v.Widget.AttachmentsEnabled {
		return domain.Attachment{}, domain.RejectAttachment("files cannot be sent here, please send text only")
	}
	if err := mayWrite(v); err != nil {
		return domain.Attachment{}, err
	}
	return s.attach(ctx, name, file, ledger.Upload{
		OrgID: v.Session.OrgID, Sender: ledger.Sender{SessionID: v.Session.ID}, ContactID: v.Session.ContactID,
	})
}

// AttachAs keeps a file that somebody of the team, or without an ID a program with an API key, will send with a reply. It fails
// as Attach does.
func (s *Service) AttachAs(ctx context.Context, who domain.User, name string, file []byte) (domain.Attachment, error) {
	return s.attach(ctx, name, file, ledger.Upload{OrgID: who.OrgID, Sender: ledger.Sender{UserID: who.ID}})
}

func (s *Service) attach(ctx context.Context, name string, file []byte, u ledger.Upload) (domain.Attachment, error) {
	f, err := attach.Check(ctx, name, file)
	if err != nil {
		return domain.Attachment{}, err
	}
	u.Name, u.Mime, u.Bytes, u.Token = f.Name, f.Mime, f.Bytes, newToken()
	return s.ledger.CreateUpload(ctx, u)
}

// AttachmentIDs reads the ids of files that came from outside. One that cannot exist is attachment_rejected, as one that does not.
func AttachmentIDs(ids []string) ([]domain.AttachmentID, error) {
	var files []domain.AttachmentID
	for _, s := range ids {
		id, err := domain.ParseID[domain.AttachmentID](s)
		if err != nil {
			return nil, domain.RejectAttachment("there is no such file: please attach it again")
		}
		files = append(files, id)
	}
	return files, nil
}

// File finds an attachment by the token in its address, which is all that one needs to read it. Reads end with ctx. It fails with
// NotFound.
func (s *Service) File(ctx context.Context, token string) (*ledger.File, error) {
	return s.ledger.OpenFile(ctx, token)
}

// Waiting finds those of a person's files that no message has taken. Others are left out.
func (s *Service) Waiting(ctx context.Context, who domain.User, ids []domain.AttachmentID) ([]domain.Attachment, error) {
	return s.ledger.WaitingFiles(ctx, who.OrgID, who.ID, ids)
}
