package chat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/lead"
	"github.com/parley-chat/parley/domain/ledger"
)

// Visitor is somebody at a widget, proven by their session's token: all that they may touch is their own thread.
type Visitor struct {
	Widget  domain.Widget
	Session domain.Session
	Contact domain.Contact
	Thread  domain.Thread // ID empty before Enter, or when nothing was ever said
}

// Arrival is what a browser tells when it opens a session.
type Arrival struct {
	Token       string // of an earlier session; unknown or expired ones get a new session
	Page        domain.Page
	Attribution map[string]string
	Identity    *Identity
	Locale      string
	Timezone    string
	Device      lead.Device
	Address     netip.Addr // where the request came from; it is not kept
}

// Identity is the site's word for who a visitor is.
type Identity struct {
	UserID    string
	Name      string
	Email     string
	Timestamp int64 // Unix seconds
	Signature string
}

// Widget finds a widget for a page of the given origin; ours says that the page is this server's own, such as the portal's preview,
// which no list needs to name. It fails with NotFound (unknown_widget) and Forbidden (widget_disabled, origin_not_allowed).
func (s *Service) Widget(ctx context.Context, key, origin string, ours bool) (domain.Widget, error) {
	w, err := s.ledger.WidgetByKey(ctx, key)
	switch {
	case domain.KindOf(err) == domain.NotFound && err != nil:
		return w, &domain.Error{Kind: domain.NotFound, Code: domain.CodeUnknownWidget, Msg: "there is no widget with this key"}
	case err != nil:
		return w, err
	case !w.Enabled:
		return w, &domain.Error{Kind: domain.Forbidden, Code: domain.CodeWidgetDisabled, Msg: "this chat is switched off"}
	case !ours && !w.AllowsOrigin(origin):
		return w, &domain.Error{Kind: domain.Forbidden, Code: domain.CodeOriginNotAllowed,
			Msg: "this page may not embed the widget; its owner can add the origin to the widget's allowed origins"}
	}
	return w, nil
}

// Arrive opens a session, or resumes the one whose token is given, and returns the token to come back with. A bad identity
// refuses all of it.
func (s *Service) Arrive(ctx context.Context, w domain.Widget, a Arrival) (v Visitor, token string, resumed bool, err error) {
	if a.Identity != nil {
		if err := verify(w, *a.Identity); err != nil {
			return Visitor{}, "", false, err
		}
	}
	if a.Token != "" {
		if v, err = s.Visitor(ctx, w, a.Token); err == nil {
			token, resumed = a.Token, true
		} else if domain.KindOf(err) != domain.Unauthenticated {
			return Visitor{}, "", false, err
		}
	}
	if !resumed {
		if v, token, err = s.newSession(ctx, w, a); err != nil {
			return Visitor{}, "", false, err
		}
	} else {
		v.Session = describe(v.Session, a)
		if err := s.ledger.TouchSession(ctx, v.Session); err != nil {
			return Visitor{}, "", false, err
		}
		if p := lead.Page(a.Page); p.URL != "" {
			if err := s.ledger.SetPage(ctx, v.Session.OrgID, v.Session.ID, p); err != nil {
				return Visitor{}, "", false, err
			}
		}
	}
	if a.Identity != nil {
		if err := s.bind(ctx, &v, *a.Identity); err != nil {
			return Visitor{}, "", false, err
		}
	}
	s.Places.Find(v.Session, a.Address)
	return v, token, resumed, nil
}

func (s *Service) newSession(ctx context.Context, w domain.Widget, a Arrival) (Visitor, string, error) {
	now := time.Now()
	contact := domain.Contact{ID: ledger.NewID[domain.ContactID](), OrgID: w.OrgID, Stub: true, Profile: lead.Profile(a.Device, a.Attribution, a.Page, now), CreatedAt: now, UpdatedAt: now}
	session := describe(domain.Session{ID: ledger.NewID[domain.SessionID](), OrgID: w.OrgID, WidgetID: w.ID, ContactID: contact.ID, CreatedAt: now}, a)
	if p := session.Page; p.URL != "" {
		session.Trail = []domain.Step{{URL: p.URL, Title: p.Title, At: now.UTC().Truncate(time.Millisecond)}}
	}
	token := newToken()
	if err := s.ledger.CreateSession(ctx, session, hash(token), contact); err != nil {
		return Visitor{}, "", err
	}
	return Visitor{Widget: w, Session: session, Contact: contact}, token, nil
}

// describe notes what the browser told of this visit, and that the session is in use.
func describe(s domain.Session, a Arrival) domain.Session {
	if p := lead.Page(a.Page); p != (domain.Page{}) {
		s.Page = p
	}
	if len(s.Attribution) == 0 || len(a.Attribution) > 0 {
		s.Attribution = lead.Attribution(a.Attribution)
	}
	if a.Locale != "" {
		s.Locale = lead.Cut(a.Locale, 35)
	}
	if a.Timezone != "" {
		s.Timezone = lead.Cut(a.Timezone, 64)
	}
	s.LastSeenAt = time.Now()
	s.ExpiresAt = s.LastSeenAt.Add(domain.SessionLifetime)
	return s
}

// touchEvery is how often at most a session's use is noted, but for its visits to pages.
const touchEvery = 24 * time.Hour

// Visitor says whose token this is. It fails with Unauthenticated: unauthorized without a token, session_expired with one that
// is not good (any more).
func (s *Service) Visitor(ctx context.Context, w domain.Widget, token string) (Visitor, error) {
	if token == "" {
		return Visitor{}, &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeUnauthorized, Msg: "open a session first"}
	}
	session, err := s.ledger.SessionByToken(ctx, w.ID, hash(token))
	return s.present(ctx, w, session, err)
}

// Refresh finds out who the visitor is by now: another tab may have said so, and then their thread is another.
func (s *Service) Refresh(ctx context.Context, v *Visitor) error {
	session, err := s.ledger.Session(ctx, v.Widget.OrgID, v.Session.ID)
	now, err := s.present(ctx, v.Widget, session, err)
	if err == nil {
		*v = now
	}
	return err
}

// present is the visitor of a session that was looked for.
func (s *Service) present(ctx context.Context, w domain.Widget, session domain.Session, err error) (Visitor, error) {
	if err != nil && domain.KindOf(err) == domain.NotFound {
		return Visitor{}, &domain.Error{Kind: domain.Unauthenticated, Code: domain.CodeSessionExpired, Msg: "this session has ended, open a new one"}
	} else if err != nil {
		return Visitor{}, err
	}
	if time.Since(session.LastSeenAt) > touchEvery { // whatever it is used for, it is in use
		if err := s.ledger.SetPage(ctx, session.OrgID, session.ID, domain.Page{}); err != nil { // an empty page leaves theirs as it is
			return Visitor{}, err
		}
	}
	v := Visitor{Widget: w, Session: session}
	if v.Contact, err = s.ledger.Contact(ctx, w.OrgID, session.ContactID); err != nil {
		if domain.KindOf(err) == domain.NotFound { // joined to another between the two reads
			err = moved(err)
		}
		return Visitor{}, err
	}
	if session.ThreadID != "" {
		v.Thread, err = s.ledger.Thread(ctx, w.OrgID, session.ThreadID)
		return v, err
	}
	v.Thread, err = s.ledger.ThreadByKey(ctx, w.OrgID, ledger.CorrelationKey(session.ContactID, domain.ChannelWebchat))
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return Visitor{}, err
	}
	return v, nil
}

func moved(err error) error {
	return &domain.Error{Kind: domain.Unavailable, Code: domain.CodeUnavailable, RetryAfter: time.Second, Msg: "please try again in a moment", Err: err}
}

// Living finds out which widgets, by their keys, are switched on and which sessions have not ended, and marks these in both maps.
func (s *Service) Living(ctx context.Context, widgets map[string]bool, sessions map[domain.SessionID]bool) error {
	return s.ledger.Living(ctx, widgets, sessions)
}

// Enter makes sure that the visitor has a thread to write in and to follow. Until something is said in it, nobody else sees it.
func (s *Service) Enter(ctx context.Context, v *Visitor) error {
	if v.Thread.ID != "" && v.Thread.WidgetID == v.Widget.ID && v.Thread.MergedInto == "" {
		return nil
	}
	return s.inThread(ctx, v, func() error {
		t, err := s.ledger.EnsureThread(ctx, v.Session)
		if err == nil {
			v.Thread = t
		}
		return err
	})
}

// inThread does something in the visitor's thread. Should it turn out to have become part of another one, which happens when
// another tab says who the visitor is, it is done again there.
func (s *Service) inThread(ctx context.Context, v *Visitor, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		if !errors.Is(err, ledger.ErrJoined) {
			return err
		}
		if try == 3 {
			return moved(err)
		}
		if err := s.Refresh(ctx, v); err != nil {
			return err
		}
		if v.Thread.ID == "" {
			if v.Thread, err = s.ledger.EnsureThread(ctx, v.Session); err != nil && !errors.Is(err, ledger.ErrJoined) {
				return err
			}
		}
	}
}

// Identify binds the visitor's session to the contact their site vouches for, and lets what they said before follow them there.
func (s *Service) Identify(ctx context.Context, v *Visitor, id Identity) error {
	if err := verify(v.Widget, id); err != nil {
		return err
	}
	return s.bind(ctx, v, id)
}

const maxUserID = 200 // code points

func verify(w domain.Widget, id Identity) error {
	// Whoever may choose their user_id at the site must not become somebody else here by a character that is not kept.
	if n := utf8.RuneCountInString(id.UserID); strings.TrimSpace(id.UserID) == "" || n > maxUserID || !storable(id.UserID) {
		return &domain.Error{Kind: domain.Forbidden, Code: domain.CodeIdentityInvalid, Msg: "the identity's user_id must have 1 to 200 characters, all of them Unicode"}
	}
	return w.VerifyIdentity(id.UserID, id.Timestamp, id.Signature, time.Now())
}

func (s *Service) bind(ctx context.Context, v *Visitor, id Identity) error {
	_, err := s.ledger.Identify(ctx, v.Session.OrgID, v.Session.ID, ledger.Identity{
		ExternalID: id.UserID, Name: lead.Cut(id.Name, 200), Email: lead.Cut(id.Email, 254),
	})
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return err
	}
	return s.Refresh(ctx, v) // of a session that has ended: says so
}

// newToken makes 256 random bits.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
