package domain

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Chatwoot is the config of a channel of that kind: an account of a Chatwoot, and who answers in which of its inboxes.
type Chatwoot struct {
	BaseURL      string          `json:"base_url"` // without a trailing slash
	AccountID    string          `json:"account_id"`
	Inboxes      []ChatwootInbox `json:"inboxes"`       // what comes in anywhere else is ignored
	FallbackText string          `json:"fallback_text"` // what the contact is told when the agent has failed for good; empty: nothing
}

// ChatwootInbox says who answers in an inbox.
type ChatwootInbox struct {
	InboxID string  `json:"inbox_id"`
	AgentID AgentID `json:"agent_id,omitempty"` // empty: the channel's agent
}

// ChatwootFallback is what contacts are told unless the owner says otherwise.
const ChatwootFallback = "I apologize, but I'm experiencing technical difficulties. Please try again in a moment."

// Chatwoot reads the config of a channel of that kind.
func (c Channel) Chatwoot() Chatwoot {
	var cw Chatwoot
	_ = json.Unmarshal(c.Config, &cw) // it was checked when it was stored
	return cw
}

// Answerer is who answers in one of the account's inboxes; standard is the channel's agent. mapped is false for an inbox that is none of
// ours; without an agent, people answer there.
func (cw Chatwoot) Answerer(inbox string, standard AgentID) (agent AgentID, mapped bool) {
	for _, in := range cw.Inboxes {
		if in.InboxID == inbox {
			if in.AgentID != "" {
				return in.AgentID, true
			}
			return standard, true
		}
	}
	return "", false
}

// DisplayConfig is the config as the API shows it: of the token only that there is one.
func (c Channel) DisplayConfig() json.RawMessage {
	if c.Kind != ChannelChatwoot {
		return c.Config
	}
	token := ""
	if c.Token != "" {
		token = Masked
	}
	b, _ := json.Marshal(struct { // strings only: cannot fail
		Chatwoot
		Token string `json:"api_access_token"`
	}{c.Chatwoot(), token})
	return b
}

// WebhookPath is where a channel's Chatwoot reports what happens there.
func (c Channel) WebhookPath() string { return "/webhook/chatwoot/" + string(c.ID) }

const chatwootKey = "chatwoot:"

// ChatwootKey is the correlation key of the thread of a conversation in a channel's account.
func ChatwootKey(channel ChannelID, conversation string) string {
	return chatwootKey + string(channel) + ":" + conversation
}

// ChatwootConversation is the conversation that a correlation key stands for; ok is false for other threads' keys.
func ChatwootConversation(key string) (conversation string, ok bool) {
	rest, ok := strings.CutPrefix(key, chatwootKey)
	if !ok {
		return "", false
	}
	_, conversation, ok = strings.Cut(rest, ":")
	return conversation, ok && conversation != ""
}

// ChannelTest is the outcome of asking what is at a channel's other end whether it is there and knows us.
type ChannelTest struct {
	OK      bool           `json:"ok"`
	MS      float64        `json:"ms"`              // until it answered
	Inboxes []ChannelInbox `json:"inboxes"`         // that it has
	Error   string         `json:"error,omitempty"` // one sentence, without secrets
}

// ChannelInbox is an inbox as its Chatwoot names it.
type ChannelInbox struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ForeignID is an id of another system, which writes it as a string or as a whole number. Here it is text; null and nothing are empty.
type ForeignID string

// UnmarshalJSON takes both.
func (f *ForeignID) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = ""
		return nil
	}
	if len(b) > 0 && b[0] == '"' {
		var s string
		err := json.Unmarshal(b, &s)
		*f = ForeignID(strings.TrimSpace(s))
		return err
	}
	digits := strings.TrimPrefix(string(b), "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return &json.UnmarshalTypeError{Value: "value that is no id", Type: reflect.TypeFor[ForeignID]()}
	}
	*f = ForeignID(b)
	return nil
}
