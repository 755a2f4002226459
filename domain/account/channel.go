package account

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// ChannelInput is what an owner says about a channel.
type ChannelInput struct {
	Name     string
	Kind     domain.ChannelKind
	AgentID  domain.AgentID // empty: people only
	Enabled  bool
	ReplyURL string
	Secret   string // signs what goes to ReplyURL
	Config   json.RawMessage
}

const (
	maxChannelName   = 64
	maxChannelConfig = 16 << 10 // bytes
)

// over lays the input over a channel. It fails with Invalid and a problem for every bad field.
func (in ChannelInput) over(c domain.Channel) (domain.Channel, error) {
	p := problems{}
	c.Name = p.line("name", in.Name, maxChannelName, true)
	if c.Name == domain.ChannelWebchat || domain.OwnChannel(c.Name) {
		p.add("name", "is one of Parley's own channels")
	}
	p.oneOf("kind", string(in.Kind), string(domain.ChannelGeneric), string(domain.ChannelChatwoot))
	c.ReplyURL = p.line("reply_url", in.ReplyURL, 2048, false)
	if u, err := url.Parse(c.ReplyURL); c.ReplyURL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil) {
		p.add("reply_url", "must be an http or https address without credentials")
	}
	c.Secret = p.line("secret", in.Secret, 500, false)
	c.Kind, c.AgentID, c.Enabled, c.Config, c.UpdatedAt = in.Kind, in.AgentID, in.Enabled, in.Config, now()
	if len(c.Config) == 0 || bytes.Equal(c.Config, []byte("null")) {
		c.Config = json.RawMessage("{}")
	}
	var object map[string]any
	if len(c.Config) > maxChannelConfig || json.Unmarshal(c.Config, &object) != nil || bytes.Contains(c.Config, []byte(`\u0000`)) {
		p.add("config", "must be an object of at most 16 KiB")
	}
	return c, p.err()
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
	c, err := in.over(domain.Channel{ID: ledger.NewID[domain.ChannelID](), OrgID: org, CreatedAt: now()})
	if err != nil {
		return domain.Channel{}, err
	}
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		if err := wantChannelAgent(ctx, tx, c); err != nil {
			return err
		}
		return tx.CreateChannel(ctx, c)
	})
	return c, err
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
	return wantAgent(ctx, tx, domain.Widget{OrgID: c.OrgID, AgentID: c.AgentID})
}

// DeleteChannel removes a channel; its threads stay. It fails with NotFound.
func (s *Service) DeleteChannel(ctx context.Context, org domain.OrgID, id domain.ChannelID) error {
	return found(s.ledger.DeleteChannel(ctx, org, id), "channel")
}
