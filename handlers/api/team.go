package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/handlers/edge"
)

// User is one of the team, who signs in to the portal.
type User struct {
	ID        string `json:"id" format:"uuid" doc:"What assignee of a thread takes." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Name      string `json:"name" doc:"Stands beside what they answer." example:"Anna Lindqvist"`
	Email     string `json:"email" doc:"What they sign in with, in lower case." example:"anna@acme.example"`
	Role      string `json:"role" enum:"owner,member" example:"owner"`
	CreatedAt Time   `json:"created_at"`
}

func showUser(u domain.User) User {
	return User{ID: string(u.ID), Name: u.Name, Email: u.Email, Role: string(u.Role), CreatedAt: Time(u.CreatedAt)}
}

// UserUpdate is the body that changes one of the team.
type UserUpdate struct {
	Name *string      `json:"name,omitempty" doc:"1 to 80 characters. What they have answered already keeps the name it had." example:"Anna Lindqvist"`
	Role *domain.Role `json:"role,omitempty" enum:"owner,member" doc:"member: works the inbox. owner: also changes how the chat is set up, and invites others." example:"owner"`
}

// Invitation is a link that somebody chooses a password with. It works once.
type Invitation struct {
	ID         string  `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Email      string  `json:"email" example:"ben@acme.example"`
	Role       string  `json:"role" enum:"owner,member" example:"member"`
	UserID     *string `json:"user_id" nullable:"true" format:"uuid" doc:"Whose password it is; null: somebody who is to join."`
	InvitedBy  *string `json:"invited_by" nullable:"true" format:"uuid" doc:"Whose it is, and with whom it ends; null: a program's."`
	ExpiresAt  Time    `json:"expires_at"`
	CreatedAt  Time    `json:"created_at"`
	MailStatus *string `json:"mail_status" nullable:"true" doc:"How it stands with the last mail that takes it to them. queued: waits for its turn or its next attempt. running: on its way. done: a mail server has taken it. dead: not tried any more. null: it was not mailed." example:"done"`
	MailError  string  `json:"mail_error" doc:"What the last attempt to mail it came to; empty: it went well, or there was none." example:"connection refused"`
	DeliveryID *string `json:"delivery_id" nullable:"true" format:"uuid" doc:"The mail, among the deliveries; null: it was not mailed."`
	Link       string  `json:"link,omitempty" doc:"What to send them. Only in the answer that makes it." example:"https://chat.acme.example/join?token=…"`
}

func showInvitation(i domain.Invitation) Invitation {
	shown := Invitation{ID: string(i.ID), Email: i.Email, Role: string(i.Role), UserID: userOrNull(i.UserID), InvitedBy: userOrNull(i.InvitedBy),
		ExpiresAt: Time(i.ExpiresAt), CreatedAt: Time(i.CreatedAt)}
	if m := i.Mail; m != nil {
		shown.MailStatus, shown.MailError, shown.DeliveryID = orNull(m.Status), m.Error, orNull(m.ID)
	}
	return shown
}

func userOrNull(id domain.UserID) *string {
	if id == "" {
		return nil
	}
	s := string(id)
	return &s
}

// InvitationCreate is the body that asks somebody to join.
type InvitationCreate struct {
	Email string      `json:"email" doc:"What they are to sign in with. One for the same address before is worthless then." example:"ben@acme.example"`
	Role  domain.Role `json:"role,omitempty" enum:"owner,member" default:"member" doc:"What they may do." example:"member"`
	Mail  bool        `json:"mail,omitempty" default:"false" doc:"Mails them the link. Left out, it is yours to send." example:"false"`
}

// PasswordLinkCreate is the body that lets somebody choose another password.
type PasswordLinkCreate struct {
	Mail bool `json:"mail,omitempty" default:"false" doc:"Mails them the link. Left out, it is yours to send." example:"false"`
}

// way is how somebody is to get a link.
func way(mail bool) account.Way {
	if mail {
		return account.ByMail
	}
	return account.ByLink
}

type (
	updateUserRequest struct {
		Path
		Match
		Body UserUpdate `example:"{\"name\":\"Anna Lindqvist\",\"role\":\"owner\"}"`
	}
	createInvitationRequest   struct{ Body InvitationCreate }
	createPasswordLinkRequest struct {
		Path
		Body *PasswordLinkCreate // may be left out
	}
)

func (a *API) teamOperations() {
	const tag = tagTeam
	add(a, operation(http.MethodGet, "/users", "list-users", tag, "List the team", "All who can sign in, the oldest first."), a.listUsers)
	add(a, operation(http.MethodGet, "/users/{id}", "get-user", tag, "Read one of the team", ""), a.getUser)
	add(a, contested(changes(ownerOperation(http.MethodPatch, "/users/{id}", "update-user", tag, "Change one of the team",
		"Only the fields given change, from their next request on. 409 where nobody would own the organisation then."))), a.updateUser)
	add(a, contested(ownerOperation(http.MethodDelete, "/users/{id}", "remove-user", tag, "Remove somebody from the team",
		"They are signed out at once, what they had waits for somebody else, and the invitations they made are worthless. What they did stays on the record. 409 for the last owner.")), a.removeUser)
	add(a, creates(ownerOperation(http.MethodPost, "/users/{id}/password-link", "create-password-link", tag, "Let somebody choose another password",
		"Makes a link, which works once and for seven days. The password they have goes on until then. `mail` has it mailed, as for an invitation.")), a.createPasswordLink)
	add(a, ownerOperation(http.MethodGet, "/invitations", "list-invitations", tag, "List invitations", "All that were not used, the oldest first, also those that are over."), a.listInvitations)
	add(a, creates(ownerOperation(http.MethodPost, "/invitations", "create-invitation", tag, "Invite somebody",
		"The answer is the only one that shows `link`, which works once and for seven days. With `mail` it is mailed to them as well, and `mail_status` "+
			"says how that stands, here and in the list. 409 for whoever has a login, for `mail` where this server sends none (it needs `PARLEY_SMTP_URL` and "+
			"`PARLEY_PUBLIC_URL`), and with 200 of them open. 429 after 50 mails within an hour, or three to one address.")), a.createInvitation)
	add(a, ownerOperation(http.MethodDelete, "/invitations/{id}", "withdraw-invitation", tag, "Withdraw an invitation", "Its link opens nothing from now on."), a.withdrawInvitation)
}

func (a *API) listUsers(ctx context.Context, in *struct{ Paging }) (*Answer[List[User]], error) {
	all, err := a.Account.Users(ctx, callerOf(ctx).scope())
	if err != nil {
		return nil, err
	}
	users, next, err := page(all, func(u domain.User) domain.UserID { return u.ID }, in.Paging)
	return list(users, showUser, next), err
}

func (a *API) getUser(ctx context.Context, in *struct{ Path }) (*Tagged[User], error) {
	u, err := a.user(ctx, in.ID)
	return tagged(showUser(u)), err
}

// user fails with NotFound.
func (a *API) user(ctx context.Context, id string) (domain.User, error) {
	parsed, err := domain.ParseID[domain.UserID](id)
	if err != nil {
		return domain.User{}, err
	}
	return a.Account.User(ctx, callerOf(ctx).scope(), parsed)
}

func (a *API) updateUser(ctx context.Context, in *updateUserRequest) (*Tagged[User], error) {
	id, err := domain.ParseID[domain.UserID](in.ID)
	if err != nil {
		return nil, err
	}
	u, err := a.Account.ChangeUser(ctx, callerOf(ctx).scope(), id, func(now domain.User) (string, domain.Role, error) {
		err := in.check(showUser(now))
		lay(&now.Name, in.Body.Name)
		lay(&now.Role, in.Body.Role)
		return now.Name, now.Role, err
	})
	return tagged(showUser(u)), err
}

func (a *API) removeUser(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	u, err := a.user(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.Account.SetRole(ctx, u.OrgID, u.ID, domain.RoleMember); err != nil { // the last owner keeps what they have
		return nil, err
	}
	if err := a.Chat.Leave(ctx, u); err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.RemoveUser(ctx, u.OrgID, u.ID)
}

// linked is an invitation with its link.
func (a *API) linked(ctx context.Context, token string, i domain.Invitation, err error) (*Answer[Invitation], error) {
	shown := showInvitation(i)
	shown.Link = edge.Origin(a.PublicURL, callerOf(ctx).request) + "/join?token=" + url.QueryEscape(token)
	return &Answer[Invitation]{shown}, err
}

func (a *API) createPasswordLink(ctx context.Context, in *createPasswordLinkRequest) (*Answer[Invitation], error) {
	u, err := a.user(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	token, made, err := a.Account.InviteBack(ctx, u.OrgID, "", u.ID, way(in.Body != nil && in.Body.Mail))
	return a.linked(ctx, token, made, err)
}

func (a *API) listInvitations(ctx context.Context, in *struct{ Paging }) (*Answer[List[Invitation]], error) {
	all, err := a.Account.Invitations(ctx, callerOf(ctx).scope())
	if err != nil {
		return nil, err
	}
	some, next, err := page(all, func(i domain.Invitation) domain.InvitationID { return i.ID }, in.Paging)
	return list(some, showInvitation, next), err
}

func (a *API) createInvitation(ctx context.Context, in *createInvitationRequest) (*Answer[Invitation], error) {
	token, made, err := a.Account.Invite(ctx, callerOf(ctx).scope(), "", in.Body.Email, cmp.Or(in.Body.Role, domain.RoleMember), way(in.Body.Mail))
	return a.linked(ctx, token, made, err)
}

func (a *API) withdrawInvitation(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.InvitationID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.Withdraw(ctx, callerOf(ctx).scope(), id)
}
