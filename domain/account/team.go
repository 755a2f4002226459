package account

import (
	"context"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// InvitationLifetime is how long a link works that somebody chooses a password with.
const InvitationLifetime = 7 * 24 * time.Hour

// Way is how an invitation gets to whom it is for.
type Way string

const (
	ByLink Way = "link" // whoever invites sends the link
	ByMail Way = "mail" // the server mails it
)

// MailsInvitations reports whether this server can: it needs a way to send mail, and to know where links lead.
func (s *Service) MailsInvitations() bool { return s.PublicURL != "" && s.ledger.SendsMail() }

// Invite asks somebody to join. Whoever opens the link that the token stands in chooses a name and a password. Inviting the same address
// again makes the link before worthless. It fails with Invalid; with Conflict for whoever has a login, where too many invitations are
// open, and where none can be mailed; and with Throttled where enough were mailed for now.
func (s *Service) Invite(ctx context.Context, org domain.OrgID, by domain.UserID, email string, role domain.Role, way Way) (token string, i domain.Invitation, err error) {
	p := problems{}
	email = p.email("email", email)
	p.oneOf("role", string(role), string(domain.RoleOwner), string(domain.RoleMember))
	if err := p.err(); err != nil {
		return "", i, err
	}
	switch _, _, err := s.ledger.UserByEmail(ctx, email); {
	case err == nil:
		return "", i, &domain.Error{Kind: domain.Conflict, Msg: "somebody has this e-mail address already", Fields: map[string]string{"email": "belongs to somebody with a login"}}
	case domain.KindOf(err) != domain.NotFound:
		return "", i, err
	}
	return s.invite(ctx, domain.Invitation{OrgID: org, Email: email, Role: role, InvitedBy: by}, way)
}

// InviteBack gives one of the team a link to choose another password with. The one they have goes on until then. It fails with NotFound,
// and as Invite does.
func (s *Service) InviteBack(ctx context.Context, org domain.OrgID, by, user domain.UserID, way Way) (token string, i domain.Invitation, err error) {
	u, err := s.User(ctx, org, user)
	if err != nil {
		return "", i, err
	}
	return s.invite(ctx, domain.Invitation{OrgID: org, UserID: u.ID, Email: u.Email, Role: u.Role, InvitedBy: by}, way)
}

// invite makes an invitation, in the place of one for the same address.
func (s *Service) invite(ctx context.Context, i domain.Invitation, way Way) (string, domain.Invitation, error) {
	i.ID, i.CreatedAt = ledger.NewID[domain.InvitationID](), now()
	i.ExpiresAt = i.CreatedAt.Add(InvitationLifetime)
	return s.told(ctx, i, way, s.ledger.PutInvitation)
}

// InviteAgain gives an invitation as much time as a new one, under the link it has: whichever mail of it somebody opens, it works. It fails
// with NotFound, and as Invite does.
func (s *Service) InviteAgain(ctx context.Context, org domain.OrgID, by domain.UserID, id domain.InvitationID, way Way) (token string, i domain.Invitation, err error) {
	if i, err = s.ledger.Invitation(ctx, org, id); err != nil {
		return "", i, found(err, "invitation")
	}
	i.InvitedBy, i.ExpiresAt = by, now().Add(InvitationLifetime)
	token, i, err = s.told(ctx, i, way, s.ledger.RenewInvitation)
	return token, i, found(err, "invitation")
}

// told stores an invitation and has it mailed if that is the way, both or neither, and reads how the mail stands.
func (s *Service) told(ctx context.Context, i domain.Invitation, way Way, store func(ctx context.Context, i domain.Invitation, mail bool) (string, error)) (string, domain.Invitation, error) {
	if way == ByMail && !s.MailsInvitations() {
		return "", domain.Invitation{}, domain.Conflictf("this server mails no invitations, as it lacks PARLEY_SMTP_URL or PARLEY_PUBLIC_URL: send the link yourself")
	}
	token, err := store(ctx, i, way == ByMail)
	if err != nil {
		return "", domain.Invitation{}, err
	}
	if stored, err := s.ledger.Invitation(ctx, i.OrgID, i.ID); err == nil { // else somebody was quick to use or replace it
		i = stored
	}
	return token, i, nil
}

// Invitation reads one of an organisation's, with how its mail stands. It fails with NotFound.
func (s *Service) Invitation(ctx context.Context, org domain.OrgID, id domain.InvitationID) (domain.Invitation, error) {
	i, err := s.ledger.Invitation(ctx, org, id)
	return i, found(err, "invitation")
}

// Invitations lists an organisation's, the newest first, also those that are over, with how their mails stand.
func (s *Service) Invitations(ctx context.Context, org domain.OrgID) ([]domain.Invitation, error) {
	return s.ledger.Invitations(ctx, org)
}

// Withdraw makes an invitation's link worthless. It fails with NotFound.
func (s *Service) Withdraw(ctx context.Context, org domain.OrgID, id domain.InvitationID) error {
	return found(s.ledger.DeleteInvitation(ctx, org, id), "invitation")
}

// Invited is whom a link is for.
type Invited struct {
	Invitation   domain.Invitation
	Organisation string
	Name         string // of one of the team who chooses another password; else empty
}

// errNoInvitation is all that whoever comes with a link that does not work learns.
func errNoInvitation() error {
	return domain.NotFoundf("this link works no longer: it was used, replaced or withdrawn, or its time is over; ask for another one")
}

// Invited finds whom a token was made for. It fails with NotFound for one that is unknown, used, replaced, withdrawn or over.
func (s *Service) Invited(ctx context.Context, token string) (Invited, error) {
	i, org, name, err := s.ledger.Invited(ctx, hashOf(token))
	if err != nil && domain.KindOf(err) == domain.NotFound {
		err = errNoInvitation()
	}
	return Invited{i, org, name}, err
}

// Accept uses a link up: somebody new joins under a name, and one of the team has another password and is signed out everywhere. It
// fails with Invalid, and as Invited does; then the link still works.
func (s *Service) Accept(ctx context.Context, token, name, password string) (email string, err error) {
	in, err := s.Invited(ctx, token)
	if err != nil {
		return "", err
	}
	p := problems{}
	if in.Invitation.UserID == "" {
		name = p.name("name", name)
	}
	p.password("password", password)
	if err := p.err(); err != nil {
		return "", err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return "", err
	}
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		i, err := tx.TakeInvitation(ctx, hashOf(token))
		if err != nil {
			return err
		}
		if email = i.Email; i.UserID != "" {
			return tx.SetPassword(ctx, i.OrgID, i.UserID, hash, nil)
		}
		return tx.CreateUser(ctx, domain.User{ID: ledger.NewID[domain.UserID](), OrgID: i.OrgID, Email: i.Email, Name: name, Role: i.Role, CreatedAt: now()}, hash)
	})
	if err != nil && domain.KindOf(err) == domain.NotFound {
		err = errNoInvitation()
	}
	return email, err
}

// User reads one of an organisation's people. It fails with NotFound, for another organisation's too.
func (s *Service) User(ctx context.Context, org domain.OrgID, id domain.UserID) (domain.User, error) {
	u, err := s.ledger.User(ctx, org, id)
	return u, found(err, "person in the team")
}

// SetRole changes what somebody may do. It fails with Invalid, NotFound, and with Conflict where nobody would own the organisation then.
func (s *Service) SetRole(ctx context.Context, org domain.OrgID, id domain.UserID, role domain.Role) error {
	_, err := s.ChangeUser(ctx, org, id, func(now domain.User) (string, domain.Role, error) { return now.Name, role, nil })
	return err
}

// ChangeUser lets change say what somebody is called and may do, looking at what it is, while nobody else can change it. It fails as
// SetRole and change do.
func (s *Service) ChangeUser(ctx context.Context, org domain.OrgID, id domain.UserID, change func(now domain.User) (name string, role domain.Role, err error)) (domain.User, error) {
	var u domain.User
	err := s.keepingAnOwner(ctx, org, func(tx *ledger.Ledger) (err error) {
		if u, err = tx.User(ctx, org, id); err != nil {
			return err
		}
		name, role, err := change(u)
		if err != nil {
			return err
		}
		p := problems{}
		u.Name, u.Role = p.name("name", name), role
		p.oneOf("role", string(role), string(domain.RoleOwner), string(domain.RoleMember))
		if err := p.err(); err != nil {
			return err
		}
		return tx.UpdateUser(ctx, u)
	})
	return u, err
}

// RemoveUser takes somebody out of the team: they are signed out everywhere, and the invitations they made are worthless. What they did
// stays on the record. It fails with NotFound, and with Conflict for the last owner. What they had is to be released before: chat.Leave.
func (s *Service) RemoveUser(ctx context.Context, org domain.OrgID, id domain.UserID) error {
	return s.keepingAnOwner(ctx, org, func(tx *ledger.Ledger) error { return tx.DeleteUser(ctx, org, id) })
}

// keepingAnOwner does something to the team unless it would leave nobody who can undo it: without an owner the setup would be open again.
func (s *Service) keepingAnOwner(ctx context.Context, org domain.OrgID, do func(tx *ledger.Ledger) error) error {
	return found(s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		if err := tx.LockUsers(ctx); err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		left, err := tx.Owners(ctx, org)
		if err == nil && left == 0 {
			return domain.Conflictf("this is the last owner: make somebody else an owner first")
		}
		return err
	}), "person in the team")
}
