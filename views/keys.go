package views

import (
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Keys is the page of the organisation's API keys, with the form that makes one. Its fields are name, scope and days, after which
// the key ends; id is the one the new key gets.
type Keys struct {
	Frame   Frame
	Keys    []domain.APIKey // the newest first
	Form    ui.Form
	Made    domain.APIKey // just now
	Secret  string        // the key itself, on the one page that shows it
	Address string        // where programs reach this server
}

// expiringSoon is how long before its end a key says so in another colour.
const expiringSoon = 14 * 24 * time.Hour

// keyState is the badge of a key.
func keyState(now time.Time, k domain.APIKey) (ui.Tone, string) {
	switch left := k.ExpiresAt.Sub(now); {
	case k.ExpiresAt.IsZero():
		return ui.Green, "Never ends"
	case left <= 0:
		return ui.Red, "Ended"
	case left < 24*time.Hour:
		return ui.Amber, "Ends within a day"
	case left < expiringSoon:
		return ui.Amber, "Ends in " + plural(int(left/(24*time.Hour)), "day", "days")
	}
	return ui.Green, "Until " + k.ExpiresAt.In(now.Location()).Format("2 Jan 2006")
}

// scopeWord says what a key may do.
func scopeWord(s domain.Scope) string {
	return map[domain.Scope]string{domain.ScopeRead: "reads", domain.ScopeWrite: "reads and writes", domain.ScopeAdmin: "may do everything"}[s]
}

func scopeOptions() []ui.Option {
	return []ui.Option{
		{Value: string(domain.ScopeRead), Label: "Read", Hint: "Conversations, contacts, how the chat is set up. No secrets, no keys."},
		{Value: string(domain.ScopeWrite), Label: "Write", Hint: "Also what your team does: reply, take over, leave notes, change contacts, record events."},
		{Value: string(domain.ScopeAdmin), Label: "Admin", Hint: "Also what only owners do: set things up, spend money, delete, and make more keys."},
	}
}

func lifeOptions() []ui.Option {
	return []ui.Option{{Value: "7", Label: "In a week"}, {Value: "30", Label: "In 30 days"}, {Value: "90", Label: "In 90 days"}, {Value: "365", Label: "In a year"}, {Value: "", Label: "Never"}}
}

// example is a first request with the key, for a shell.
func (k Keys) example() string {
	return `curl -H "Authorization: Bearer ` + k.Secret + `" ` + k.Address + "/api/v1/threads"
}
