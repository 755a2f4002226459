package views

import (
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Team is the page of an organisation's people, with the form that invites one. Its fields are email and role.
type Team struct {
	Frame       Frame
	People      []domain.User       // by name
	Invitations []domain.Invitation // the newest first, also those that are over
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
