package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// invitation asks somebody to join, or lets one of the team choose another password. It fails with errMoot for one that was used, replaced or
// withdrawn, or whose time is over.
func (m *Mail) invitation(ctx context.Context, d ledger.Delivery) (Letter, error) {
	i, err := m.Ledger.MailedInvitation(ctx, d)
	switch {
	case err != nil && domain.KindOf(err) == domain.NotFound:
		return Letter{}, errMoot
	case errors.Is(err, ledger.ErrSecretChanged):
		return Letter{}, &Undeliverable{err}
	case err != nil:
		return Letter{}, err
	case m.PublicURL == "": // another node may know it
		return Letter{}, errors.New("PARLEY_PUBLIC_URL is not set: there is nowhere for the link to lead")
	}
	return invitationLetter(i, m.PublicURL), nil
}

// invitationLetter says who invites, to what, until when, and what to do about a mail that nobody has asked for.
func invitationLetter(i ledger.MailedInvitation, publicURL string) Letter {
	org, by := oneLine(i.Organisation), oneLine(i.By)
	if i.ByEmail != "" {
		by = strings.TrimSpace(by + " (" + i.ByEmail + ")")
	}
	until := i.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")
	p := letterPage{Link: publicURL + "/join?token=" + url.QueryEscape(i.Token)}
	if i.UserID != "" {
		p.Subject = "Choose another password for " + org
		p.Intro = fmt.Sprintf("Hello %s, here is a link to choose another password with, for the chat of %s. %s has asked for it.",
			cmp.Or(oneLine(i.Name), i.Email), org, cmp.Or(by, "Somebody who runs it"))
		p.LinkText = "Choose another password"
		p.Closing = []string{
			"It works once, until " + until + ". The password you have goes on until then; with another one you are signed out wherever you are signed in.",
			"If you need none, you can ignore this mail: nothing changes. Pass it on to nobody: whoever opens the link can sign in as you.",
		}
		return p.letter()
	}
	p.Subject, p.LinkText = "Your invitation to "+org, "Join "+org
	p.Intro = "You are invited"
	if by != "" {
		p.Subject, p.Intro = cmp.Or(oneLine(i.By), i.ByEmail)+" invites you to "+org, by+" invites you"
	}
	p.Intro += " to join " + org
	if i.Role == domain.RoleOwner {
		p.Intro += " as an owner: you answer the visitors of its chat and decide how it is set up, who else joins, and what it spends."
	} else {
		p.Intro += " as a member: you answer the visitors of its chat, together with its agents and its team."
	}
	p.Closing = []string{
		"The link works once, until " + until + ". You choose a name and a password there; what you sign in with is " + i.Email + ".",
		"If you do not know what this is about, you can ignore this mail: nothing happens. Pass it on to nobody: whoever opens the link can join in your place.",
	}
	return p.letter()
}

// oneLine is a name as it can stand in a sentence, whatever it was given.
func oneLine(name string) string { return strings.Join(strings.Fields(name), " ") }
