// Package views draws the portal: templ pages and fragments, each from a view model that holds all it shows. It must never
// fetch anything, decide who may see what, or read a request: a view that needs more asks for another field in its model.
package views

import (
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Section is a place in the navigation.
type Section string

const (
	InboxSection     Section = "inbox"
	AgentsSection    Section = "agents"
	KnowledgeSection Section = "knowledge"
	WidgetsSection   Section = "widgets"
	SettingsSection  Section = "settings"
	WebhooksSection  Section = "webhooks"
	ChatwootSection  Section = "chatwoot"
	TeamSection      Section = "team"
	ProfileSection   Section = "profile"
)

// Frame is what every page of a signed-in person shares.
type Frame struct {
	Title   string // of the browser's tab
	Section Section
	Org     string
	User    domain.User
	Unread  int // threads with something unseen; above 99 they are many
	Notice  ui.Notice
	Now     time.Time // in the viewer's time zone, which is the one every time is shown in
}

// tabTitle is the title with what waits in front, so that a tab in the background can be read.
func (f Frame) tabTitle() string { return tabTitle(f.Title, f.Unread) }

func tabTitle(title string, unread int) string {
	t := title + " · Parley"
	if title == "" {
		t = "Parley"
	}
	if unread > 0 {
		t = "(" + ui.AtMost(unread) + ") " + t
	}
	return t
}

// ContactName is what to call a contact: their name, their address, or for a stub a made-up name that stays the same.
func ContactName(c domain.Contact) string {
	switch {
	case strings.TrimSpace(c.Name) != "":
		return c.Name
	case c.Email != "":
		return c.Email
	case c.Phone != "":
		return c.Phone
	case len(c.ID) < 4:
		return "Visitor"
	}
	return "Visitor " + strings.ToUpper(string(c.ID[len(c.ID)-4:]))
}

// contactInitials stand for a contact; empty for a stub, which is shown as a person without a face.
func contactInitials(c domain.Contact) string {
	switch {
	case strings.TrimSpace(c.Name) != "":
		return ui.Initials(c.Name)
	case c.Email != "":
		return ui.Initials(c.Email)
	}
	return ""
}

// userName is what to call a colleague.
func userName(u domain.User) string {
	if strings.TrimSpace(u.Name) == "" {
		return u.Email
	}
	return u.Name
}

// firstName is how colleagues speak of each other.
func firstName(name string) string {
	if first, _, ok := strings.Cut(strings.TrimSpace(name), " "); ok {
		return first
	}
	return name
}
