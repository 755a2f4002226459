package account

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

const maxInboxes = 100

// chatwootInput is the config of a Chatwoot account as it is given. A token that is absent, blank or Masked keeps what is stored.
type chatwootInput struct {
	BaseURL   string           `json:"base_url"`
	AccountID domain.ForeignID `json:"account_id"`
	Token     *string          `json:"api_access_token"`
	Inboxes   []struct {
		InboxID domain.ForeignID `json:"inbox_id"`
		AgentID string           `json:"agent_id"`
	} `json:"inboxes"`
	FallbackText *string `json:"fallback_text"`
}

// chatwootOver lays the config over the channel of a Chatwoot account. Its reply URL is where the Chatwoot is.
func (in ChannelInput) chatwootOver(p problems, c *domain.Channel) {
	was := c.Chatwoot()
	var given chatwootInput
	if len(in.Config) > 0 && json.Unmarshal(in.Config, &given) != nil {
		p.add("config", "must be an object with base_url, account_id, api_access_token, inboxes and fallback_text")
		return
	}
	next := domain.Chatwoot{BaseURL: chatwootBase(p, cmp.Or(given.BaseURL, in.ReplyURL)), FallbackText: domain.ChatwootFallback}
	if base := chatwootBase(problems{}, in.ReplyURL); in.ReplyURL != "" && base != next.BaseURL {
		p.add("reply_url", "of a Chatwoot account is its config.base_url: change that")
	}
	if next.AccountID = p.foreign("config.account_id", given.AccountID); next.AccountID == "" {
		p.add("config.account_id", "is needed")
	}
	switch {
	case given.FallbackText != nil:
		next.FallbackText = p.paragraphs("config.fallback_text", *given.FallbackText, 1000, false)
	case len(c.Config) > 0:
		next.FallbackText = was.FallbackText
	}
	next.Inboxes = given.inboxes(p)
	given.tokenOver(p, c, was.BaseURL, next.BaseURL)
	c.ReplyURL = next.BaseURL
	c.Config, _ = json.Marshal(next) // strings only: cannot fail
}

func (in chatwootInput) inboxes(p problems) []domain.ChatwootInbox {
	all, seen := []domain.ChatwootInbox{}, map[string]bool{}
	if len(in.Inboxes) > maxInboxes {
		p.add("config.inboxes", "must be at most %d", maxInboxes)
		return all
	}
	for i, box := range in.Inboxes {
		field := fmt.Sprintf("config.inboxes.%d", i)
		id := p.foreign(field+".inbox_id", box.InboxID)
		agent, err := domain.AgentID(""), error(nil)
		if box.AgentID != "" {
			if agent, err = domain.ParseID[domain.AgentID](box.AgentID); err != nil {
				p.add(field+".agent_id", notOurAgent)
			}
		}
		switch {
		case id == "":
			p.add(field+".inbox_id", "is needed")
		case seen[id]:
			p.add(field+".inbox_id", "is there twice: an inbox has one agent")
		}
		seen[id] = true
		all = append(all, domain.ChatwootInbox{InboxID: id, AgentID: agent})
	}
	return all
}

// tokenOver gives the channel its token. One that is stored goes to no other server than it was given for.
func (in chatwootInput) tokenOver(p problems, c *domain.Channel, was, is string) {
	const field = "config.api_access_token"
	switch {
	case in.Token == nil || strings.TrimSpace(*in.Token) == "" || *in.Token == domain.Masked:
		if c.Token != "" && serverOf(was) != serverOf(is) {
			p.add(field, "must be given again, because the address is now another server's")
		}
	default:
		c.Token = p.line(field, *in.Token, 500, false)
	}
}

func serverOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// chatwootBase is the address of a Chatwoot without what people paste with it.
func chatwootBase(p problems, s string) string {
	s = strings.TrimRight(p.line("config.base_url", s, 2048, true), "/")
	u, err := url.Parse(s)
	switch {
	case s == "":
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		p.add("config.base_url", "must start with https:// or http:// and name a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		p.add("config.base_url", "must be the bare address of the Chatwoot, such as https://app.chatwoot.com")
	}
	return s
}

// foreign checks an id of another system.
func (p problems) foreign(field string, id domain.ForeignID) string {
	s := p.line(field, string(id), 64, false)
	if s == "." || s == ".." || strings.ContainsAny(s, ":/?#%\\ ") {
		p.add(field, "is not an id")
	}
	return s
}

// ChatwootDeliveries lists what is to be posted in an account, or could not be, the newest first. It fails with NotFound.
func (s *Service) ChatwootDeliveries(ctx context.Context, org domain.OrgID, id domain.ChannelID, statuses []string, limit int) ([]ledger.Delivery, error) {
	if _, err := s.Channel(ctx, org, id); err != nil {
		return nil, err
	}
	return s.ledger.ChannelDeliveries(ctx, org, id, statuses, limit)
}

// RetryChatwoot tries all that could not be posted in an account again, for another day, and says how much that is. It fails with
// NotFound.
func (s *Service) RetryChatwoot(ctx context.Context, org domain.OrgID, id domain.ChannelID) (int64, error) {
	if _, err := s.Channel(ctx, org, id); err != nil {
		return 0, err
	}
	return s.ledger.RetryChannel(ctx, org, id)
}
