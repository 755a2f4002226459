package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/handlers/edge"
	"github.com/parley-chat/parley/views"
	"github.com/parley-chat/parley/views/ui"
)

func (p *Portal) teamRoutes(r chi.Router) {
	r.Get("/team", p.page(forOwners(p.showTeam)))
	r.Post("/team/invitations", p.page(forOwners(p.invite)))
	r.Post("/team/invitations/{id}/renew", p.page(forOwners(p.inviteAgain)))
	r.Post("/team/invitations/{id}/withdraw", p.page(forOwners(p.withdraw)))
	r.Post("/team/{id}/password", p.page(forOwners(p.inviteBack)))
	r.Post("/team/{id}/role", p.page(forOwners(p.setRole)))
	r.Post("/team/{id}/remove", p.page(forOwners(p.removeUser)))
}

// mailedQuery names an invitation that was just to be mailed: the page says how that stands.
const mailedQuery = "mailed"

func (p *Portal) showTeam(w http.ResponseWriter, r *http.Request) error {
	return p.teamPage(w, r, http.StatusOK, views.Team{Form: freshInvitation()})
}

func freshInvitation() ui.Form {
	return ui.Form{Values: map[string]string{"role": string(domain.RoleMember)}}
}

func (p *Portal) teamPage(w http.ResponseWriter, r *http.Request, status int, page views.Team) (err error) {
	org := memberOf(r).Organisation.ID
	if page.People, err = p.Account.Users(r.Context(), org); err != nil {
		return err
	}
	if page.Invitations, err = p.Account.Invitations(r.Context(), org); err != nil {
		return err
	}
	page.Mails = p.Account.MailsInvitations()
	notice := page.Frame.Notice
	for _, i := range page.Invitations {
		if notice.Text == "" && string(i.ID) == r.URL.Query().Get(mailedQuery) {
			notice = views.MailNotice(i)
		}
	}
	if page.Frame, err = p.frame(w, r, views.TeamSection, "Team"); err != nil {
		return err
	}
	if notice.Text != "" {
		page.Frame.Notice = notice
	}
	return render(w, r, status, views.TeamPage(page))
}

// showInvitation is the part of the team page that one has, or nothing once it was used or withdrawn.
func (p *Portal) showInvitation(w http.ResponseWriter, r *http.Request) error {
	id, err := domain.ParseID[domain.InvitationID](chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	org := memberOf(r).Organisation.ID
	i, err := p.Account.Invitation(r.Context(), org, id)
	if domain.KindOf(err) == domain.NotFound {
		return render(w, r, http.StatusOK, templ.NopComponent)
	}
	if err != nil {
		return err
	}
	page := views.Team{Mails: p.Account.MailsInvitations(), Frame: views.Frame{Now: present(r)}}
	if page.People, err = p.Account.Users(r.Context(), org); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, views.InvitationCard(page, i))
}

// wayOf is how whoever invites wants it to get there.
func wayOf(r *http.Request) account.Way {
	if account.Way(r.PostForm.Get("way")) == account.ByMail {
		return account.ByMail
	}
	return account.ByLink
}

// invited follows what has made an invitation: to the page that says how its mail stands, or with the one that shows its link. A reload
// of that shows it once more.
func (p *Portal) invited(w http.ResponseWriter, r *http.Request, token string, made domain.Invitation, err error) error {
	form, ok := problems(err)
	status := http.StatusUnprocessableEntity
	if e, is := errors.AsType[*domain.Error](err); is && e.Kind == domain.Throttled { // a link can still be had from the same form
		form, ok, status = ui.Form{Problem: sentence(e.Msg)}, true, http.StatusTooManyRequests
		edge.RetryAfter(w, err)
	}
	switch {
	case ok:
		return p.teamPage(w, r, status, views.Team{Form: typedInvitation(r, form)})
	case err != nil:
		return err
	case wayOf(r) == account.ByMail:
		return done(w, r, "/team?"+mailedQuery+"="+string(made.ID))
	}
	page := views.Team{Form: freshInvitation(), Made: made, Link: edge.Origin(p.PublicURL, r) + "/join?token=" + url.QueryEscape(token)}
	page.Frame.Notice = ui.Notice{Tone: ui.Green, Text: "The link is ready. Copy it now."}
	return p.teamPage(w, r, http.StatusOK, page)
}

// typedInvitation is the form as it was sent; what was sent from elsewhere on the page leaves it fresh.
func typedInvitation(r *http.Request, form ui.Form) ui.Form {
	if !r.PostForm.Has("email") {
		form.Values = freshInvitation().Values
		return form
	}
	return asTyped(r, form)
}

func (p *Portal) invite(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	m := memberOf(r)
	token, made, err := p.Account.Invite(r.Context(), m.Organisation.ID, m.User.ID, r.PostForm.Get("email"), domain.Role(r.PostForm.Get("role")), wayOf(r))
	return p.invited(w, r, token, made, err)
}

func (p *Portal) inviteAgain(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	id, err := domain.ParseID[domain.InvitationID](chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	m := memberOf(r)
	token, made, err := p.Account.InviteAgain(r.Context(), m.Organisation.ID, m.User.ID, id, wayOf(r))
	return p.invited(w, r, token, made, err)
}

func (p *Portal) inviteBack(w http.ResponseWriter, r *http.Request) error {
	if err := posted(w, r); err != nil {
		return err
	}
	u, err := p.colleague(r)
	if err != nil {
		return err
	}
	m := memberOf(r)
	token, made, err := p.Account.InviteBack(r.Context(), m.Organisation.ID, m.User.ID, u.ID, wayOf(r))
	return p.invited(w, r, token, made, err)
}

func (p *Portal) withdraw(w http.ResponseWriter, r *http.Request) error {
	id, err := domain.ParseID[domain.InvitationID](chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	if err := p.Account.Withdraw(r.Context(), memberOf(r).Organisation.ID, id); err != nil {
		return err
	}
	p.notify(w, r, "invitation-withdrawn")
	return done(w, r, "/team")
}

func (p *Portal) setRole(w http.ResponseWriter, r *http.Request) error {
	return p.changeTeam(w, r, "role-changed", func(ctx context.Context, u domain.User) error {
		return p.Account.SetRole(ctx, u.OrgID, u.ID, domain.Role(r.PostForm.Get("role")))
	})
}

// removeUser lets what they had wait for somebody else before they go.
func (p *Portal) removeUser(w http.ResponseWriter, r *http.Request) error {
	return p.changeTeam(w, r, "user-removed", func(ctx context.Context, u domain.User) error {
		if err := p.Chat.Leave(ctx, u); err != nil {
			return err
		}
		return p.Account.RemoveUser(ctx, u.OrgID, u.ID)
	})
}

// changeTeam does something to a colleague.
func (p *Portal) changeTeam(w http.ResponseWriter, r *http.Request, notice string, do func(ctx context.Context, u domain.User) error) error {
	if err := posted(w, r); err != nil {
		return err
	}
	u, err := p.colleague(r)
	if err == nil {
		err = do(r.Context(), u)
	}
	if form, ok := problems(err); ok {
		form.Values = freshInvitation().Values
		return p.teamPage(w, r, http.StatusUnprocessableEntity, views.Team{Form: form})
	}
	if err != nil {
		return err
	}
	p.notify(w, r, notice)
	return done(w, r, "/team")
}

// colleague is whom the path names. It fails with NotFound, and with Conflict for oneself.
func (p *Portal) colleague(r *http.Request) (domain.User, error) {
	id, err := domain.ParseID[domain.UserID](chi.URLParam(r, "id"))
	if err != nil {
		return domain.User{}, err
	}
	m := memberOf(r)
	if id == m.User.ID {
		return domain.User{}, domain.Conflictf("that is you: another owner can do it, and your own password is under your account")
	}
	return p.Account.User(r.Context(), m.Organisation.ID, id)
}
