package views

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Team is the page of an organisation's people, with the form that invites one. Its fields are email and role.
type Team struct {
	Frame       Frame
	People      []domain.User       // by name
	Invitations []domain.Invitation // the newest first, also those that are over
	Mails       bool                // invitations can be mailed
	Form        ui.Form
	Made        domain.Invitation // just now
	Link        string            // of it, on the one page that shows it
}

// Join is the page a link of the team leads to. Its form's fields are name, for whoever is new, and password.
type Join struct {
	Token        string
	Organisation string
	Email, Name  string
	Back         bool // one of the team chooses another password
	Form         ui.Form
}

func roleOptions() []ui.Option {
	return []ui.Option{
		{Value: string(domain.RoleMember), Label: "Member", Hint: "Works the inbox and sees how the chat is set up."},
		{Value: string(domain.RoleOwner), Label: "Owner", Hint: "Also changes agents, widgets and knowledge, spends money, and invites others."},
	}
}

func roleWord(r domain.Role) string {
	if r == domain.RoleOwner {
		return "Owner"
	}
	return "Member"
}

// otherRole is what somebody can be made instead, and in which words.
func otherRole(r domain.Role) (domain.Role, string) {
	if r == domain.RoleOwner {
		return domain.RoleMember, "Make a member"
	}
	return domain.RoleOwner, "Make an owner"
}

// invitationState is the badge of an invitation.
func invitationState(now time.Time, i domain.Invitation) (ui.Tone, string) {
	switch left := i.ExpiresAt.Sub(now); {
	case left <= 0:
		return ui.Red, "Over"
	case left < 24*time.Hour:
		return ui.Amber, "Works for less than a day"
	default:
		return ui.Green, "Works for " + plural(int(left.Round(24*time.Hour)/(24*time.Hour)), "day", "days")
	}
}

// inviting is what comes of the form.
func (t Team) inviting() string {
	if t.Mails {
		return "They get a mail with a link. Whoever opens it chooses a name and a password."
	}
	return "You get a link to send to them. Whoever opens it chooses a name and a password."
}

// MailNotice is what a page begins with once an invitation is to be mailed.
func MailNotice(i domain.Invitation) ui.Notice {
	what, where := "The invitation", " to "+i.Email
	if i.UserID != "" {
		what = "The link to choose another password"
	}
	switch {
	case i.Mail == nil:
		return ui.Notice{}
	case i.Mail.Open() && i.Mail.Error != "":
		return ui.Notice{Tone: ui.Amber, Text: what + where + " has not gone out yet."}
	case i.Mail.Open():
		return ui.Notice{Tone: ui.Green, Text: what + " is on its way" + where + "."}
	case i.Mail.Status == "done":
		return ui.Notice{Tone: ui.Green, Text: what + " was mailed" + where + "."}
	}
	return ui.Notice{Tone: ui.Red, Text: what + " could not be mailed" + where + "."}
}

// mailState is how the mail of an invitation stands.
func mailState(now time.Time, m domain.InvitationMail) string {
	switch {
	case m.Status == "done":
		return "mailed " + agoLong(now, m.At)
	case m.Status == "dead":
		return "not mailed"
	case m.Error != "":
		return "not mailed yet"
	}
	return "mail on its way"
}

// mailProblem is why a mail is late or does not come; empty: it is neither.
func mailProblem(i domain.Invitation) string {
	switch m := i.Mail; {
	case m == nil || m.Status == "done" || m.Error == "":
		return ""
	case m.Status == "dead":
		return "The mail did not go out: " + strings.TrimSuffix(m.Error, ".") + ". Send it again, or show the link and send that yourself."
	default:
		return "The mail has not gone out yet: " + strings.TrimSuffix(m.Error, ".") + ". It is tried again for a day."
	}
}

// mailAsks makes a card ask again until the first attempt to mail it has ended. What is tried again for a day is not watched that long.
func mailAsks(i domain.Invitation) templ.Attributes {
	if !i.Mail.Open() || i.Mail.Error != "" {
		return nil
	}
	return templ.Attributes{"hx-get": "/team/invitations/" + string(i.ID), "hx-trigger": "every 3s", "hx-swap": "outerMorph"}
}

// sendWords is what mailing an invitation is called that may have been mailed before.
func sendWords(i domain.Invitation) string {
	if i.Mail == nil {
		return "Mail it"
	}
	return "Send again"
}

// purpose is what an invitation is for.
func purpose(i domain.Invitation) string {
	if i.UserID != "" {
		return "chooses another password"
	}
	return "joins as " + ownRole(i.Role)
}

func ownRole(r domain.Role) string {
	if r == domain.RoleOwner {
		return "an owner"
	}
	return "a member"
}

// inviter is who made it, where they are still there.
func (t Team) inviter(i domain.Invitation) string {
	for _, u := range t.People {
		if u.ID == i.InvitedBy {
			return userName(u)
		}
	}
	return ""
}
