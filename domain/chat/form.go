package chat

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger"
)

// Form is what a visitor writes into the widget's form, before or instead of a conversation. It is their word only: it proves nothing.
type Form struct {
	ClientID           string // makes sending it again harmless
	Name, Email, Phone string
	Message            string // opens the conversation
}

// Introduces records a form: as an event, in the contact, and its message as a line of the visitor. What a site vouched for is not
// overwritten. It fails with Invalid and a problem for every field, and like Say.
func (s *Service) Introduces(ctx context.Context, v *Visitor, f Form) error {
	if err := mayWrite(v); err != nil {
		return err
	}
	f, err := f.check(v)
	if err != nil {
		return err
	}
	if f.Message != "" {
		if err := s.knows(ctx, v, f); err != nil {
			return err
		}
	}
	if err := s.Enter(ctx, v); err != nil {
		return err
	}
	fields := map[string]string{}
	for name, value := range map[string]string{"name": f.Name, "email": f.Email, "phone": f.Phone, "message": f.Message} {
		if value != "" {
			fields[name] = value
		}
	}
	_, err = s.visitorDid(ctx, v, ledger.Form{SessionID: v.Session.ID, ClientID: f.ClientID, Fields: fields})
	if err != nil && !ledger.IsKnown(err) {
		return err
	}
	c := v.Contact
	if v.Session.Identified {
		f.Name, f.Email, f.Phone = orElse(c.Name, "", f.Name), orElse(c.Email, "", f.Email), orElse(c.Phone, "", f.Phone)
	}
	if f.Name != "" || f.Email != "" || f.Phone != "" {
		return s.ledger.SetContactDetails(ctx, v.Session.OrgID, v.Session.ContactID, f.Name, f.Email, f.Phone)
	}
	return nil
}

// orElse returns set if known is not empty, and unset otherwise.
func orElse(known, set, unset string) string {
	if known != "" {
		return set
	}
	return unset
}

// check returns the form in its normal form, or what is wrong with it field by field.
func (f Form) check(v *Visitor) (Form, error) {
	wrong := map[string]string{}
	f.Name = lead.Cut(f.Name, 200)
	if f.Email = strings.TrimSpace(f.Email); f.Email != "" {
		a, err := mail.ParseAddress(f.Email)
		if err != nil || a.Address != f.Email || len(f.Email) > 254 || !strings.Contains(f.Email[strings.LastIndexByte(f.Email, '@')+1:], ".") || lead.Cut(f.Email, 254) != f.Email {
			wrong["email"] = "is not an e-mail address"
		}
	}
	if f.Phone = lead.Cut(f.Phone, 41); f.Phone != "" && !domain.IsPhone(f.Phone) {
		wrong["phone"] = "is not a phone number"
	}
	if f.ClientID != "" && (utf8.RuneCountInString(f.ClientID) > maxClientID || !storable(f.ClientID)) {
		wrong["client_id"] = "must have at most 64 characters, all of them Unicode"
	}
	if strings.TrimSpace(f.Message) != "" {
		if f.ClientID == "" {
			f.ClientID = string(ledger.NewID[domain.MessageID]())
		}
		line, err := checkLine(f.ClientID, f.Message)
		if f.Message = line; err != nil && wrong["client_id"] == "" {
			return f, err
		}
	} else {
		f.Message = ""
	}
	if len(wrong) == 0 && f.Name == "" && f.Email == "" && f.Phone == "" && f.Message == "" {
		wrong["fields"] = "must have a name, an email, a phone or a message"
	}
	return f, badFields(wrong)
}

func badFields(wrong map[string]string) error {
	if len(wrong) == 0 {
		return nil
	}
	var all []string
	for field, problem := range wrong {
		all = append(all, field+" "+problem)
	}
	slices.Sort(all)
	return &domain.Error{Kind: domain.Invalid, Code: domain.CodeBadField, Msg: strings.Join(all, "; "), Fields: wrong}
}

// knows refuses a line for as long as a widget that wants to know who writes has not been told, in this form or before.
func (s *Service) knows(ctx context.Context, v *Visitor, f Form) error {
	if v.Widget.Appearance.ContactInfoMode != domain.ContactInfoRequired || v.Session.Identified {
		return nil
	}
	missing := func() error {
		wrong := map[string]string{}
		for _, field := range v.Widget.Appearance.Collect {
			told := map[string]string{"name": v.Contact.Name + f.Name, "email": v.Contact.Email + f.Email, "phone": v.Contact.Phone + f.Phone}
			if told[field] == "" {
				wrong[field] = "is needed before you write"
			}
		}
		return badFields(wrong)
	}
	err := missing()
	if err == nil {
		return nil
	}
	c, readErr := s.ledger.Contact(ctx, v.Session.OrgID, v.Session.ContactID) // told by another connection meanwhile
	if readErr == nil {
		v.Contact = c
		err = missing()
	}
	return err
}
