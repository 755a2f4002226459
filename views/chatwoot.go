package views

import (
	"fmt"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/views/ui"
)

// Chatwoots is the page with all Chatwoot accounts.
type Chatwoots struct {
	Frame    Frame
	Accounts []domain.Channel
	Dead     map[domain.ChannelID]int // how much could not be posted there
}

// ChatwootForm is the page to make or change a Chatwoot account. Account.ID is empty for a new one. The form's fields have the names
// the API gives them, and signed, which says whether there is to be a secret.
type ChatwootForm struct {
	Frame   Frame
	Account domain.Channel
	Agents  []domain.Agent
	Webhook string // the address to enter in Chatwoot
	Form    ui.Form
	Test    *domain.ChannelTest
	Posts   []ChatwootPost // what waits to be posted or could not be, the newest first
	More    bool           // there is more of that
}

// ChatwootPost is a message that is not in Chatwoot yet.
type ChatwootPost struct {
	ID       domain.DeliveryID
	Thread   domain.ThreadID
	Dead     bool // it is not tried any more
	Attempts int
	Error    string
	At       time.Time
}

func (f ChatwootForm) fresh() bool { return f.Account.ID == "" }

func (f ChatwootForm) url(tail string) string { return "/chatwoot/" + string(f.Account.ID) + tail }

func (f ChatwootForm) saveURL() string {
	if f.fresh() {
		return "/chatwoot"
	}
	return f.url("")
}

// dead counts what is not tried any more.
func (f ChatwootForm) dead() (n int) {
	for _, p := range f.Posts {
		if p.Dead {
			n++
		}
	}
	return n
}

const spareInboxes = 2 // empty places in the form

// ChatwootInboxField is the name of a field of an inbox in the form.
func ChatwootInboxField(at int, key string) string {
	return fmt.Sprintf("config.inboxes.%d.%s", at, key)
}

// inboxRows are the places for inboxes: those that are taken, and some more.
func (f ChatwootForm) inboxRows() (rows []int) {
	n := 0
	for f.Form.Value(ChatwootInboxField(n, "inbox_id")) != "" || f.Form.Value(ChatwootInboxField(n, "agent_id")) != "" || f.Form.Problems[ChatwootInboxField(n, "inbox_id")] != "" {
		n++
	}
	for i := range n + spareInboxes {
		rows = append(rows, i)
	}
	return rows
}

// fields are the names of the form's fields, in the order of the page.
func (f ChatwootForm) fields() []string {
	names := []string{"name", "config.base_url", "config.account_id", "config.api_access_token", "secret", "agent_id"}
	for _, i := range f.inboxRows() {
		names = append(names, ChatwootInboxField(i, "inbox_id"), ChatwootInboxField(i, "agent_id"))
	}
	return append(names, "config.fallback_text")
}

func (f ChatwootForm) inboxAgents() []ui.Option {
	return agentOptions(f.Agents, "As above")
}

func (f ChatwootForm) tokenHint() string {
	if f.Account.Token != "" {
		return "It is on file and is not shown. Leave it empty to keep it."
	}
	return "Of a user or an agent bot that sees the inboxes: in Chatwoot, Profile settings, Access token. Stored sealed and never shown again."
}

func (f ChatwootForm) secretHint() string {
	if f.Account.Secret != "" {
		return "It is on file and is not shown. Leave it empty to keep it."
	}
	return "Chatwoot shows it beside the webhook. Stored sealed and never shown again."
}

// ChatwootValues are the fields of the form for an account as it is.
func ChatwootValues(c domain.Channel) map[string]string {
	cw := c.Chatwoot()
	v := map[string]string{"name": c.Name, "agent_id": string(c.AgentID), "config.base_url": cw.BaseURL, "config.account_id": cw.AccountID, "config.fallback_text": cw.FallbackText}
	for i, in := range cw.Inboxes {
		v[ChatwootInboxField(i, "inbox_id")], v[ChatwootInboxField(i, "agent_id")] = in.InboxID, string(in.AgentID)
	}
	if c.Enabled {
		v["enabled"] = "on"
	}
	if c.Secret != "" {
		v["signed"] = "on"
	}
	return v
}

// chatwootState is the badge of an account.
func chatwootState(c domain.Channel, dead int) (ui.Tone, string) {
	switch {
	case !c.Enabled:
		return ui.Neutral, "Off"
	case dead > 0:
		return ui.Red, plural(dead, "message not delivered", "messages not delivered")
	case c.Token == "":
		return ui.Amber, "No token"
	}
	return ui.Green, "On"
}

// inboxFacts says what of an account is answered.
func inboxFacts(c domain.Channel) string {
	all := c.Chatwoot().Inboxes
	if len(all) == 0 {
		return "no inbox yet"
	}
	ids := make([]string, len(all))
	for i, in := range all {
		ids[i] = in.InboxID
	}
	if len(ids) > 6 {
		return plural(len(ids), "inbox", "inboxes")
	}
	word := "inboxes "
	if len(ids) == 1 {
		word = "inbox "
	}
	return word + strings.Join(ids, ", ")
}

// postState is the badge of a message that is not there yet.
func postState(p ChatwootPost) (ui.Tone, string) {
	switch {
	case p.Dead:
		return ui.Red, "Given up"
	case p.Attempts > 0:
		return ui.Amber, "Tried again soon"
	}
	return ui.Neutral, "Waits"
}
