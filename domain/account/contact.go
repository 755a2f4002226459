package account

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// KnownContact is a contact with what their first visit told.
type KnownContact = ledger.KnownContact

// ContactFilter says which contacts to list.
type ContactFilter = ledger.ContactFilter

// ContactInput is what can be said of a contact. Blank: nothing is known.
type ContactInput struct {
	ExternalID string // the organisation's own id for them
	Name       string
	Email      string
	Phone      string
	OptedOut   bool // agents do not write to them
}

// over lays the input over a contact, who is a stub as long as nothing is known of them. It fails with Invalid.
func (in ContactInput) over(c domain.Contact) (domain.Contact, error) {
	p := problems{}
	c.ExternalID = p.line("external_id", in.ExternalID, 200, false)
	c.Name = p.line("name", in.Name, 200, false)
	if c.Email = strings.TrimSpace(in.Email); c.Email != "" {
		if _, ok := parseEmail(c.Email); !ok {
			p.add("email", "is not an e-mail address")
		}
	}
	if c.Phone = p.line("phone", in.Phone, 40, false); c.Phone != "" && !domain.IsPhone(c.Phone) {
		p.add("phone", "is not a phone number")
	}
	c.OptedOut, c.UpdatedAt = in.OptedOut, now()
	c.Stub = c.ExternalID == "" && c.Name == "" && c.Email == "" && c.Phone == ""
	return c, p.err()
}

// Contacts lists an organisation's contacts, the oldest first.
func (s *Service) Contacts(ctx context.Context, org domain.OrgID, f ContactFilter) ([]KnownContact, error) {
	return s.ledger.Contacts(ctx, org, f)
}

// Contact reads a contact. It fails with NotFound, for another organisation's too.
func (s *Service) Contact(ctx context.Context, org domain.OrgID, id domain.ContactID) (KnownContact, error) {
	c, err := s.ledger.KnownContact(ctx, org, id)
	return c, found(err, "contact")
}

// CreateContact makes a contact. It fails with Invalid, and with Conflict if the organisation has one with that external id.
func (s *Service) CreateContact(ctx context.Context, org domain.OrgID, in ContactInput) (KnownContact, error) {
	at := now()
	c, err := in.over(domain.Contact{ID: ledger.NewID[domain.ContactID](), OrgID: org, Profile: json.RawMessage("{}"), CreatedAt: at})
	if err != nil {
		return KnownContact{}, err
	}
	return KnownContact{Contact: c}, s.ledger.CreateContact(ctx, c)
}

// ChangeContact lets change say what a contact is to be, looking at what they are, with nobody else changing them meanwhile. It fails
// as CreateContact and change do, and with NotFound. An erased contact stays as they are: Conflict.
func (s *Service) ChangeContact(ctx context.Context, org domain.OrgID, id domain.ContactID, change func(KnownContact) (ContactInput, error)) (KnownContact, error) {
	var c KnownContact
	err := s.ledger.InTx(ctx, func(tx *ledger.Ledger) (err error) {
		if c, err = tx.LockContact(ctx, org, id); err != nil {
			return found(err, "contact")
		}
		in, err := change(c)
		if err != nil {
			return err
		}
		if !c.ErasedAt.IsZero() {
			return domain.Conflictf("this contact was erased and stays so")
		}
		if c.Contact, err = in.over(c.Contact); err != nil {
			return err
		}
		return tx.UpdateContact(ctx, c.Contact)
	})
	if err != nil {
		return KnownContact{}, err
	}
	return c, nil
}

// DeleteContact removes a contact with everything: visits, threads and files. It fails with NotFound.
func (s *Service) DeleteContact(ctx context.Context, org domain.OrgID, id domain.ContactID) error {
	return found(s.ledger.DeleteContact(ctx, org, id), "contact")
}

// EraseContact takes everything a contact said, was told and was, and ends their visits; their threads stay as numbers. It fails
// with NotFound.
func (s *Service) EraseContact(ctx context.Context, org domain.OrgID, id domain.ContactID) error {
	_, err := s.ledger.EraseContact(ctx, org, id)
	return found(err, "contact")
}

// ContactExport is all that is kept of a contact.
type ContactExport struct {
	Contact  KnownContact
	Sessions []domain.Session
	Threads  []ThreadExport
}

// ThreadExport is one thread of a contact, with all that was said and done in it.
type ThreadExport struct {
	Thread   ledger.Conversation
	Messages []domain.Message
	Timeline []domain.TimelineItem
}

// ExportContact reads all that is kept of a contact. It fails with NotFound.
func (s *Service) ExportContact(ctx context.Context, org domain.OrgID, id domain.ContactID) (e ContactExport, err error) {
	if e.Contact, err = s.Contact(ctx, org, id); err != nil {
		return e, err
	}
	if e.Sessions, err = s.ledger.ContactSessions(ctx, org, id); err != nil {
		return e, err
	}
	threads, err := s.ledger.ContactThreads(ctx, org, id)
	if err != nil {
		return e, err
	}
	for _, t := range threads {
		one := ThreadExport{Thread: t}
		if one.Messages, err = s.ledger.MessagesAfter(ctx, org, t.ID, 0, int(t.LastSeq)+1); err != nil {
			return e, err
		}
		if one.Timeline, err = s.ledger.Timeline(ctx, org, t.ID); err != nil {
			return e, err
		}
		e.Threads = append(e.Threads, one)
	}
	return e, nil
}
