package chat

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// Unasked is a message that the organisation writes of its own accord. One of ContactID, ExternalID, ThreadID and Conversation says
// to whom.
type Unasked struct {
	ContactID  domain.ContactID
	ExternalID string // the organisation's own id for the contact
	ThreadID   domain.ThreadID
	// Conversation is a Chatwoot's id of one, in the account that Channel names or the only one there is.
	Conversation string

	Channel  string // empty: the thread's, else that of the contact's latest thread, else webchat
	ClientID string
	Content  string
}

// Write sends a contact a message that they have not asked for, over any channel, in the thread that there is or in a new one. It does not
// take the thread over. It is idempotent in ClientID, and fails with Invalid, NotFound and, for a contact who has opted out, Conflict.
func (s *Service) Write(ctx context.Context, who domain.User, u Unasked) (m domain.Message, duplicate bool, err error) {
	if u.Content, err = checkLine(u.ClientID, u.Content); err != nil {
		return m, false, err
	}
	u.Channel = strings.TrimSpace(u.Channel)
	if domain.OwnChannel(u.Channel) || len(u.Channel) > 64 || strings.ContainsRune(u.Channel, 0) {
		return m, false, domain.InvalidField("channel", "is not one to write over")
	}
	for try := 1; ; try++ {
		thread, err := s.threadToWriteIn(ctx, who.OrgID, u)
		if err != nil {
			return m, false, err
		}
		out, err := s.teamDid(ctx, who, thread, ledger.Proactive{User: who, ClientID: u.ClientID, Content: u.Content})
		if err == nil {
			return *out.Message, out.Duplicate, nil
		}
		if !errors.Is(err, ledger.ErrJoined) || try == 3 {
			return m, false, err
		}
	}
}

func (s *Service) threadToWriteIn(ctx context.Context, org domain.OrgID, u Unasked) (domain.ThreadID, error) {
	if u.ThreadID != "" {
		t, err := s.ledger.Thread(ctx, org, u.ThreadID)
		if err == nil && t.MergedInto != "" {
			return t.MergedInto, nil
		}
		return t.ID, err
	}
	if u.Conversation != "" {
		return s.chatwootToWriteIn(ctx, org, u)
	}
	contact, err := s.contactToWriteTo(ctx, org, u)
	if err != nil {
		return "", err
	}
	latest, err := s.ledger.LatestThread(ctx, org, contact.ID, u.Channel)
	if err == nil || domain.KindOf(err) != domain.NotFound {
		return latest.ID, err
	}
	if u.Channel == "" {
		u.Channel = domain.ChannelWebchat
	}
	to := ledger.ChannelThread{OrgID: org, ContactID: contact.ID, Channel: u.Channel}
	if c, err := s.ledger.ChannelByName(ctx, org, u.Channel); err == nil {
		to.AgentID = c.AgentID
	} else if domain.KindOf(err) != domain.NotFound {
		return "", err
	}
	if u.Channel == domain.ChannelWebchat {
		visit, err := s.ledger.LastSession(ctx, org, contact.ID)
		if err == nil { // in the widget where they were
			t, err := s.ledger.EnsureThread(ctx, visit)
			return t.ID, err
		} else if domain.KindOf(err) != domain.NotFound {
			return "", err
		}
	}
	t, err := s.ledger.EnsureChannelThread(ctx, to)
	return t.ID, err
}

func (s *Service) contactToWriteTo(ctx context.Context, org domain.OrgID, u Unasked) (c domain.Contact, err error) {
	if u.ContactID != "" {
		c, err = s.ledger.Contact(ctx, org, u.ContactID)
	} else {
		c, err = s.ledger.ContactByExternalID(ctx, org, u.ExternalID)
	}
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return c, domain.NotFoundf("there is no such contact")
	}
	return c, err
}

func (s *Service) chatwootToWriteIn(ctx context.Context, org domain.OrgID, u Unasked) (domain.ThreadID, error) {
	all, err := s.ledger.Channels(ctx, org)
	if err != nil {
		return "", err
	}
	accounts := slices.DeleteFunc(all, func(c domain.Channel) bool {
		return c.Kind != domain.ChannelChatwoot || u.Channel != "" && c.Name != u.Channel
	})
	switch len(accounts) {
	case 0:
		return "", domain.NotFoundf("there is no such conversation")
	case 1:
		t, err := s.ledger.ThreadByKey(ctx, org, domain.ChatwootKey(accounts[0].ID, u.Conversation))
		if err != nil && domain.KindOf(err) == domain.NotFound {
			err = domain.NotFoundf("there is no such conversation")
		}
		return t.ID, err
	}
	return "", domain.InvalidField("channel", "is needed: there are several Chatwoot accounts")
}
