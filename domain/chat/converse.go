package chat

import (
	"context"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger"
)

// Conversing is what the client of a visitor tells who may have several conversations, each a thread of its own.
type Conversing struct {
	AskedFor string    // what the client calls whom it wants to talk to
	Resume   string    // the id of the conversation to go on with; empty: a new one
	Known    *Visitor  // the visitor of an earlier session of the same client; nil: somebody new
	Identity *Identity // the site's word for who they are
	Name     string    // their own word, which proves nothing
	Email    string
	Address  netip.Addr // where the request came from; it is not kept
}

// WidgetKeyOf finds the key of the widget that a name stands for: its key, its id, or the id of an agent, if exactly one enabled widget is
// bound to that. It fails with NotFound (unknown_widget).
func (s *Service) WidgetKeyOf(ctx context.Context, name string) (string, error) {
	key, err := s.ledger.WidgetKeyOf(ctx, name)
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return "", &domain.Error{Kind: domain.NotFound, Code: domain.CodeUnknownWidget, Msg: "this agent is not registered for embedding"}
	}
	return key, err
}

// Converse opens a session about one conversation and returns its token, a UUID.
//
// Knowing the id of an anonymous visitor's conversation is enough to continue it, as knowing its token would be: the id cannot be guessed,
// only that visitor was told it, and it cannot be derived from the thread's own id, which agents and the team see. The conversation of a
// visitor whom a site has vouched for needs the site's signature again. It fails with Forbidden (identity_invalid) and, for a
// conversation that is not theirs, with NotFound.
func (s *Service) Converse(ctx context.Context, w domain.Widget, c Conversing) (v Visitor, token string, err error) {
	if c.Identity != nil {
		if err := verify(w, *c.Identity); err != nil {
			return Visitor{}, "", err
		}
	}
	v = Visitor{Widget: w}
	if v.Contact, v.Thread, err = s.converser(ctx, w, c); err != nil {
		return Visitor{}, "", err
	}
	now := time.Now()
	v.Session = describe(domain.Session{ID: ledger.NewID[domain.SessionID](), OrgID: w.OrgID, WidgetID: w.ID, ContactID: v.Contact.ID,
		Identified: c.Known != nil && c.Known.Session.Identified && c.Known.Contact.ID == v.Contact.ID, AskedFor: lead.Cut(c.AskedFor, 200), CreatedAt: now}, Arrival{})
	token = uuid.NewString()
	if err := s.ledger.CreateSession(ctx, v.Session, hash(token), v.Contact); err != nil {
		return Visitor{}, "", err
	}
	if c.Identity != nil {
		if err := s.identified(ctx, &v, *c.Identity); err != nil {
			return Visitor{}, "", err
		}
	}
	if v.Thread.ID == "" {
		if v.Thread, err = s.ledger.BeginThread(ctx, v.Session); err != nil {
			return Visitor{}, "", err
		}
	}
	v.Session.ThreadID = v.Thread.ID
	if err := s.ledger.AboutThread(ctx, v.Session.OrgID, v.Session.ID, v.Thread.ID); err != nil {
		return Visitor{}, "", err
	}
	s.Places.Find(v.Session, c.Address)
	if !v.Session.Identified && (c.Name != "" || c.Email != "") {
		err = s.ledger.SetContactDetails(ctx, v.Session.OrgID, v.Session.ContactID, lead.Cut(c.Name, 200), lead.Cut(c.Email, 254), "")
		v.Contact.Name, v.Contact.Email = lead.Cut(c.Name, 200), lead.Cut(c.Email, 254)
	}
	return v, token, err
}

// converser finds whose conversation it is to be, and the conversation, if it is to be one that is known.
func (s *Service) converser(ctx context.Context, w domain.Widget, c Conversing) (domain.Contact, domain.Thread, error) {
	now := time.Now()
	who := domain.Contact{ID: ledger.NewID[domain.ContactID](), OrgID: w.OrgID, Stub: true, Profile: []byte("{}"), CreatedAt: now, UpdatedAt: now}
	if c.Known != nil && c.Known.Widget.OrgID == w.OrgID {
		who = c.Known.Contact
	}
	var thread domain.Thread
	if c.Resume != "" {
		id, err := s.ledger.ThreadOfConversation(c.Resume)
		if err != nil {
			return who, thread, errNotTheirs
		}
		thread, err = s.ledger.Thread(ctx, w.OrgID, id)
		if err != nil && domain.KindOf(err) != domain.NotFound {
			return who, thread, err
		}
		if err != nil || thread.WidgetID != w.ID || thread.Channel != domain.ChannelWebchat || thread.ContactID == "" {
			return who, thread, errNotTheirs
		}
		owner, err := s.ledger.Contact(ctx, w.OrgID, thread.ContactID)
		if err != nil {
			return who, thread, err
		}
		if owner.ExternalID != "" && (c.Identity == nil || c.Identity.UserID != owner.ExternalID) {
			return who, thread, errNotTheirs
		}
		who = owner
	}
	return who, thread, nil
}

// identified binds a new session to the contact that the site vouches for. A conversation that began before comes along.
func (s *Service) identified(ctx context.Context, v *Visitor, id Identity) (err error) {
	v.Contact, err = s.ledger.Identify(ctx, v.Session.OrgID, v.Session.ID, ledger.Identity{
		ExternalID: id.UserID, Name: lead.Cut(id.Name, 200), Email: lead.Cut(id.Email, 254),
	})
	if err != nil {
		return err
	}
	v.Session.ContactID, v.Session.Identified = v.Contact.ID, true
	if v.Thread.ID == "" {
		return nil
	}
	if v.Thread, err = s.ledger.Thread(ctx, v.Session.OrgID, v.Thread.ID); err == nil && v.Thread.MergedInto != "" {
		v.Thread, err = s.ledger.Thread(ctx, v.Session.OrgID, v.Thread.MergedInto)
	}
	return err
}

var errNotTheirs = &domain.Error{Kind: domain.NotFound, Code: domain.CodeNotFound, Msg: "there is no such conversation"}

// Conversant finds a visitor by the token of whatever session, and lets find say whether their widget may be used here. It fails
// with Unauthenticated for a token that is not good (any more), and as find does.
func (s *Service) Conversant(ctx context.Context, token string, find func(key string) (domain.Widget, error)) (Visitor, error) {
	_, key, err := s.ledger.SessionByAnyToken(ctx, hash(token))
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return Visitor{}, &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeSessionExpired, Msg: "this session has ended, open a new one"}
	} else if err != nil {
		return Visitor{}, err
	}
	w, err := find(key)
	if err != nil {
		return Visitor{}, err
	}
	v, err := s.Visitor(ctx, w, token)
	if err == nil {
		err = s.Enter(ctx, &v)
	}
	return v, err
}

// Conversations lists the conversations of a visitor in which something was said, the newest first.
func (s *Service) Conversations(ctx context.Context, v *Visitor, f ledger.BegunFilter) ([]ledger.Begun, error) {
	return s.ledger.BegunThreads(ctx, v.Session.OrgID, v.Session.ContactID, domain.ChannelWebchat, f)
}

// ConversationID is what a thread's visitor, and nobody else, is told to call it.
func (s *Service) ConversationID(thread domain.ThreadID) (string, error) {
	return s.ledger.ConversationID(thread)
}

// ThreadOf is the thread that a visitor calls so. It fails with NotFound. Knowing it opens nothing.
func (s *Service) ThreadOf(conversation string) (domain.ThreadID, error) {
	return s.ledger.ThreadOfConversation(conversation)
}

// Rename gives a conversation of the visitor a title. It fails with NotFound.
func (s *Service) Rename(ctx context.Context, v *Visitor, conversation, title string) error {
	thread, err := s.ledger.ThreadOfConversation(conversation)
	if err != nil {
		return err
	}
	return s.ledger.SetTitle(ctx, v.Session.OrgID, v.Session.ContactID, thread, title)
}
