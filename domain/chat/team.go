package chat

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
)

// Reply records what a person of the organisation wrote to the contact, and takes the thread over. A closed thread opens again.
// It is idempotent in clientID for the same person, and fails with Invalid, NotFound (also for another organisation's thread) or Unavailable.
// A who without an ID is a program with an API key. It fails with attachment_rejected unless all of the files were sent by who, and with
// no other message.
func (s *Service) Reply(ctx context.Context, who domain.User, thread domain.ThreadID, clientID, content string, files ...domain.AttachmentID) (m domain.Message, duplicate bool, err error) {
	return s.ReplyFrom(ctx, who, thread, clientID, content, "", files...)
}

// ReplyFrom is Reply with words that come from the draft of a turn.
func (s *Service) ReplyFrom(ctx context.Context, who domain.User, thread domain.ThreadID, clientID, content string, from domain.TurnID, files ...domain.AttachmentID) (m domain.Message, duplicate bool, err error) {
	if content, err = checkLine(clientID, content, files...); err != nil {
		return m, false, err
	}
	draft, err := s.madeOf(ctx, who, thread, content, from)
	if err != nil {
		return m, false, err
	}
	out, err := s.teamDid(ctx, who, thread, ledger.PersonReply{User: who, ClientID: clientID, Content: content, Draft: draft, Attachments: files})
	if err != nil {
		return m, false, err
	}
	s.types(who, thread, false)
	return *out.Message, out.Duplicate, nil
}

// AddNote records a remark that only the team sees, as an event in the thread's timeline.
func (s *Service) AddNote(ctx context.Context, who domain.User, thread domain.ThreadID, content string) (id domain.EventID, at time.Time, err error) {
	if content, err = checkLine("note", content); err != nil {
		return "", time.Time{}, err
	}
	out, err := s.teamDid(ctx, who, thread, ledger.TeamNote{User: who, Content: content})
	return out.Event, out.At, err
}

// TakeOver gives the thread to a person; agents are silent from then on. Taking what one has already changes nothing.
func (s *Service) TakeOver(ctx context.Context, who domain.User, thread domain.ThreadID) (domain.Thread, error) {
	return s.move(ctx, who, thread, ledger.TakeOver{User: who})
}

// HandBack gives the thread back to its agent, which at once answers what nobody has answered yet.
func (s *Service) HandBack(ctx context.Context, who domain.User, thread domain.ThreadID) (domain.Thread, error) {
	return s.move(ctx, who, thread, ledger.HandBack{User: who})
}

// Retry asks the agent once more for what nobody has answered, after it gave up. It fails with Conflict when everything is
// answered or a person has the thread.
func (s *Service) Retry(ctx context.Context, who domain.User, thread domain.ThreadID) (domain.Thread, error) {
	return s.move(ctx, who, thread, ledger.Retry{User: who})
}

// MailTranscript has what was said mailed to the contact. It fails with Conflict where there is nobody to mail it to.
func (s *Service) MailTranscript(ctx context.Context, who domain.User, thread domain.ThreadID) error {
	return s.ledger.MailTranscript(ctx, who.OrgID, thread)
}

// SendsMail reports whether there is a way to mail a contact anything.
func (s *Service) SendsMail() bool { return s.ledger.SendsMail() }

// Release lets the thread wait for another person.
func (s *Service) Release(ctx context.Context, who domain.User, thread domain.ThreadID) (domain.Thread, error) {
	return s.move(ctx, who, thread, ledger.Release{User: who})
}

// Leave lets all that somebody has wait for another person, who has left the team or is about to.
func (s *Service) Leave(ctx context.Context, who domain.User) error {
	threads, err := s.ledger.AssignedThreads(ctx, who)
	if err != nil {
		return err
	}
	for _, t := range threads {
		if _, err := s.move(ctx, who, t, ledger.Release{User: who, Left: true}); err != nil && domain.KindOf(err) != domain.NotFound {
			return err
		}
	}
	return nil
}

// Close resolves the thread. The visitor's next message opens it again.
func (s *Service) Close(ctx context.Context, who domain.User, thread domain.ThreadID) (domain.Thread, error) {
	return s.move(ctx, who, thread, ledger.Close{User: who})
}

// Revise changes a thread as plan says, which looks at it as it stands: all of it or nothing. It fails as plan does, with NotFound,
// and with Conflict where the thread cannot go there from where it is.
func (s *Service) Revise(ctx context.Context, who domain.User, thread domain.ThreadID, plan func(t domain.Thread, contactName string) (Move, error)) error {
	_, err := s.teamDid(ctx, who, thread, ledger.Revision{Plan: func(t domain.Thread, contactName string) (ledger.Change, []string, error) {
		m, err := plan(t, contactName)
		return m.change(), m.Labels, err
	}})
	return err
}

// Move is what becomes of a thread. At most one of the first four is set.
type Move struct {
	TakeOver domain.User // who takes it; OrgID empty: nobody does
	HandBack domain.User
	Release  domain.User
	Close    domain.User
	Labels   []string // nil: as they are
}

func (m Move) change() ledger.Change {
	switch {
	case m.TakeOver.OrgID != "":
		return ledger.TakeOver{User: m.TakeOver}
	case m.HandBack.OrgID != "":
		return ledger.HandBack{User: m.HandBack}
	case m.Release.OrgID != "":
		return ledger.Release{User: m.Release}
	case m.Close.OrgID != "":
		return ledger.Close{User: m.Close}
	}
	return nil
}

// Read records that somebody of the team has seen everything up to seq.
func (s *Service) Read(ctx context.Context, who domain.User, thread domain.ThreadID, seq int64) error {
	_, err := s.teamDid(ctx, who, thread, ledger.Seen{By: who.ID, Seq: seq})
	return err
}

// Writes shows the visitor that a person has begun or stopped to write; who begins and says nothing more is taken to have stopped after
// half a minute. It fails with NotFound for another organisation's thread.
func (s *Service) Writes(ctx context.Context, who domain.User, thread domain.ThreadID, on bool) error {
	if _, err := s.ledger.Thread(ctx, who.OrgID, thread); err != nil {
		return err
	}
	s.types(who, thread, on)
	return nil
}

func (s *Service) types(who domain.User, thread domain.ThreadID, on bool) {
	h := relay.Hint{Thread: thread, Kind: relay.Typing, On: on, Author: domain.Author{Kind: domain.AuthorHuman, Name: who.Name}}
	if on {
		s.pens.took(h)
	}
	s.relay.Hint(h)
}

func (s *Service) move(ctx context.Context, who domain.User, thread domain.ThreadID, c ledger.Change) (domain.Thread, error) {
	out, err := s.teamDid(ctx, who, thread, c)
	return out.Thread, err
}

func (s *Service) teamDid(ctx context.Context, who domain.User, thread domain.ThreadID, c ledger.Change) (ledger.Outcome, error) {
	return s.ledger.Append(ctx, ledger.Append{OrgID: who.OrgID, ThreadID: thread, Change: c})
}
