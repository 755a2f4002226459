package chat

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
)

// Say records what a visitor wrote and, unless a person has the thread, asks for an agent's turn. A closed thread opens again.
//
// Say is idempotent in clientID: a widget that lost the acknowledgement sends the same frame again and gets the same message's
// ID, Seq and CreatedAt back with duplicate set. It fails with Invalid if the line is blank or too long, with Throttled over the
// widget's limits, with attachment_rejected if one of the files is not there for this session to send, and with Unavailable when it
// could not be stored for now.
func (s *Service) Say(ctx context.Context, v *Visitor, clientID, content string, files ...domain.AttachmentID) (m domain.Message, duplicate bool, err error) {
	if content, err = checkLine(clientID, content, files...); err != nil {
		return m, false, err
	}
	if err := mayWrite(v); err != nil {
		return m, false, err
	}
	if err := s.knows(ctx, v, Form{}); err != nil {
		return m, false, err
	}
	if err := s.Enter(ctx, v); err != nil {
		return m, false, err
	}
	out, err := s.visitorDid(ctx, v, ledger.Line{SessionID: v.Session.ID, ClientID: clientID, Content: content, Attachments: files})
	if err != nil {
		return m, false, err
	}
	s.Types(v, false) // who has said it is not writing it any more, whatever the browser tells
	return *out.Message, out.Duplicate, nil
}

// mayWrite refuses whatever says something where a widget wants the site's word for who does. That somebody types or has read is no word.
func mayWrite(v *Visitor) error {
	if v.Widget.RequireIdentity && !v.Session.Identified {
		return &domain.Error{Kind: domain.Forbidden, Code: domain.CodeIdentityInvalid, Msg: "this chat is for signed-in visitors only"}
	}
	return nil
}

// AskForPerson lets the thread wait for a person. It changes nothing when one is wanted or there already.
func (s *Service) AskForPerson(ctx context.Context, v *Visitor) error {
	if err := mayWrite(v); err != nil {
		return err
	}
	if err := s.Enter(ctx, v); err != nil {
		return err
	}
	_, err := s.visitorDid(ctx, v, ledger.AskForPerson{})
	return err
}

// Saw records that the visitor has seen everything up to seq.
func (s *Service) Saw(ctx context.Context, v *Visitor, seq int64) error {
	if seq < 0 {
		return domain.InvalidField("seq", "must not be negative")
	}
	if v.Thread.ID == "" {
		return nil
	}
	_, err := s.visitorDid(ctx, v, ledger.Seen{Seq: seq})
	return err
}

// Rate records the visitor's mark for the conversation.
func (s *Service) Rate(ctx context.Context, v *Visitor, score int, comment string) error {
	if score < 1 || score > 5 {
		return domain.InvalidField("score", "must be 1 to 5")
	}
	if err := mayWrite(v); err != nil {
		return err
	}
	if v.Thread.ID == "" {
		return domain.Conflictf("there is no conversation to rate yet")
	}
	_, err := s.visitorDid(ctx, v, ledger.Rating{Score: score, Comment: lead.Cut(comment, 2000)})
	return err
}

func (s *Service) visitorDid(ctx context.Context, v *Visitor, c ledger.Change) (ledger.Outcome, error) {
	var out ledger.Outcome
	err := s.inThread(ctx, v, func() (err error) {
		out, err = s.ledger.Append(ctx, ledger.Append{OrgID: v.Session.OrgID, ThreadID: v.Thread.ID, Change: c})
		return err
	})
	return out, err
}

// Types shows the team that the visitor has begun or stopped to write.
func (s *Service) Types(v *Visitor, on bool) {
	if v.Thread.ID == "" {
		return
	}
	name := v.Contact.Name
	if name == "" {
		name = "Visitor"
	}
	s.relay.Hint(relay.Hint{Thread: v.Thread.ID, Kind: relay.Typing, On: on, Author: domain.Author{Kind: domain.AuthorVisitor, Name: name}})
}

// Moves records that the visitor has gone to another page.
func (s *Service) Moves(ctx context.Context, v *Visitor, p domain.Page) error {
	if p = lead.Page(p); p.URL == "" {
		return domain.InvalidField("url", "must be an http or https address")
	}
	v.Session.Page = p
	return s.ledger.SetPage(ctx, v.Session.OrgID, v.Session.ID, p)
}

// History reads the page of the visitor's thread just below before, oldest first. before 0 = the newest.
func (s *Service) History(ctx context.Context, v *Visitor, before int64, limit int) ([]domain.Message, error) {
	if v.Thread.ID == "" {
		return nil, nil
	}
	if before <= 0 {
		before = 1 << 62
	}
	return s.ledger.MessagesBefore(ctx, v.Session.OrgID, v.Thread.ID, before, limit)
}

// SeqAt is the seq that the first line stored at or after a time has, or will have: History before it is what was said before then.
func (s *Service) SeqAt(ctx context.Context, v *Visitor, at time.Time) (int64, error) {
	seq, err := s.ledger.LastSeqBefore(ctx, v.Session.OrgID, v.Thread.ID, at)
	return seq + 1, err
}

// Since reads where the visitor's thread stands and what was said after a cursor, at most limit lines.
func (s *Service) Since(ctx context.Context, v *Visitor, after int64, limit int) (ledger.Standing, []domain.Message, error) {
	return s.ledger.Since(ctx, v.Session.OrgID, v.Thread.ID, after, limit)
}
