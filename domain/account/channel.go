package account

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// ChannelInput is what an owner says about a channel.
type ChannelInput struct {
	ID       domain.ChannelID // of a new one, so that a form that is sent twice makes one; empty: any
	Name     string
	Kind     domain.ChannelKind
	AgentID  domain.AgentID // empty: people only
	Enabled  bool
	ReplyURL string
	Secret   string // signs what goes to ReplyURL; of a Chatwoot, what comes from there
	Config   json.RawMessage
}

const (
	maxChannelName   = 64
	maxChannelConfig = 16 << 10 // bytes
)

// over lays the input over a channel. It fails with Invalid and a problem for every bad field.
func (in ChannelInput) over(c domain.Channel) (domain.Channel, error) {
	p := problems{}
	if c.Kind == domain.ChannelChatwoot && c.Name != strings.TrimSpace(in.Name) {
		p.add("name", "of a Chatwoot account stays: its conversations are kept under it")
	}
	c.Name = p.line("name", in.Name, maxChannelName, true)
	if c.Name == domain.ChannelWebchat || domain.OwnChannel(c.Name) {
		p.add("name", "is one of Parley's own channels")
	}
	p.oneOf("kind", string(in.Kind), string(domain.ChannelGeneric), string(domain.ChannelChatwoot))
	if c.Kind != "" && c.Kind != in.Kind {
		p.add("kind", "cannot be changed: make another channel")
	}
	c.Secret = p.line("secret", in.Secret, 500, false)
	c.Kind, c.AgentID, c.Enabled, c.UpdatedAt = in.Kind, in.AgentID, in.Enabled, now()
	if len(in.Config) > maxChannelConfig || bytes.Contains(in.Config, []byte(`\u0000`)) {
		p.add("config", "must be an object of at most 16 KiB")
	} else if in.Kind == domain.ChannelChatwoot {
		in.chatwootOver(p, &c)
	} else {
		in.genericOver(p, &c)
	}
	return c, p.err()
}

func (in ChannelInput) genericOver(p problems, c *domain.Channel) {
	c.ReplyURL = p.line("reply_url", in.ReplyURL, 2048, false)
	if u, err := url.Parse(c.ReplyURL); c.ReplyURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil) {
		p.add("reply_url", "must be an http or https address without credentials")
	}
	c.Config = in.Config
	if len(c.Config) == 0 || bytes.Equal(c.Config, []byte("null")) {
		c.Config = json.RawMessage("{}")
	}
	var object map[string]any
	if json.Unmarshal(c.Config, &object) != nil {
		p.add("config", "must be an object of at most 16 KiB")
	}
}

// Channels lists an organisation's channels, the oldest first.
func (s *Service) Channels(ctx context.Context, org domain.OrgID) ([]domain.Channel, error) {
	return s.ledger.Channels(ctx, org)
}

// Channel reads a channel. It fails with NotFound, for another organisation's too.
func (s *Service) Channel(ctx context.Context, org domain.OrgID, id domain.ChannelID) (domain.Channel, error) {
	c, err := s.ledger.Channel(ctx, org, id)
	return c, found(err, "channel")
}

// CreateChannel makes a channel. It fails with Invalid, and with Conflict if the organisation has one of its name.
func (s *Service) CreateChannel(ctx context.Context, org domain.OrgID, in ChannelInput) (domain.Channel, error) {
	c, err := in.over(domain.Channel{ID: cmp.Or(in.ID, ledger.NewID[domain.ChannelID]()), OrgID: org, CreatedAt: now()})
	if err != nil {
		return domain.Channel{}, err
	}
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		return createChannel(ctx, tx, c)
	})
	return c, err
}

func createChannel(ctx context.Context, tx *ledger.Ledger, c domain.Channel) error {
	if err := wantChannelAgent(ctx, tx, c); err != nil {
		return err
	}
	return tx.CreateChannel(ctx, c)
}

// ChangeChannel lets change say what a channel is to be, looking at what it is, while nobody else can change it. It fails as
// CreateChannel and change do, and with NotFound.
func (s *Service) ChangeChannel(ctx context.Context, org domain.OrgID, id domain.ChannelID, change func(domain.Channel) (ChannelInput, error)) (domain.Channel, error) {
	var c domain.Channel
	err := s.ledger.InTx(ctx, func(tx *ledger.Ledger) (err error) {
		if c, err = tx.LockChannel(ctx, org, id); err != nil {
			return found(err, "channel")
		}
		in, err := change(c)
		if err != nil {
			return err
		}
		if c, err = in.over(c); err != nil {
			return err
		}
		if err := wantChannelAgent(ctx, tx, c); err != nil {
			return err
		}
		return tx.UpdateChannel(ctx, c)
	})
	if err != nil {
		return domain.Channel{}, err
	}
	return c, nil
}

func wantChannelAgent(ctx context.Context, tx *ledger.Ledger, c domain.Channel) error {
	if err := wantAgent(ctx, tx, domain.Widget{OrgID: c.OrgID, AgentID: c.AgentID}); err != nil || c.Kind != domain.ChannelChatwoot {
		return err
	}
	for _, in := range c.Chatwoot().Inboxes {
		if err := wantAgent(ctx, tx, domain.Widget{OrgID: c.OrgID, AgentID: in.AgentID}); err != nil {
			if domain.KindOf(err) == domain.Invalid {
				return domain.InvalidField("config.inboxes", "inbox "+in.InboxID+": "+notOurAgent)
			}
			return err
		}
	}
	return nil
}

// DeleteChannel removes a channel; its threads stay. It fails with NotFound.
func (s *Service) DeleteChannel(ctx context.Context, org domain.OrgID, id domain.ChannelID) error {
	return found(s.ledger.DeleteChannel(ctx, org, id), "channel")
}
