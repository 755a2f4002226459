package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// Channel is a way by which messages travel that is not Parley's own.
type Channel struct {
	ID        string        `json:"id" format:"uuid" example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Name      string        `json:"name" doc:"What POST /events calls it, and threads show." example:"sms"`
	Kind      string        `json:"kind" enum:"generic,chatwoot" doc:"generic: a program that posts events and takes replies at reply_url. chatwoot: a Chatwoot account." example:"generic"`
	AgentID   *string       `json:"agent_id" nullable:"true" format:"uuid" doc:"Who answers there; null: people only." example:"0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	Enabled   bool          `json:"enabled" doc:"Off: events are recorded, but no agent is asked (trigger_off) and no reply leaves." example:"true"`
	ReplyURL  string        `json:"reply_url" doc:"Where what is said in its threads goes; empty: it stays in Parley. Of chatwoot, where that is." example:"https://sms.example.com/outbound"`
	Signed    bool          `json:"signed" doc:"There is a secret, and what goes to reply_url is signed with it; of chatwoot, what comes from there." example:"true"`
	Config    ChannelConfig `json:"config" doc:"Of generic, whatever you like to keep there. Of chatwoot: base_url, account_id, api_access_token (shown as ********), inboxes (of {inbox_id, agent_id}), fallback_text."`
	Webhook   *string       `json:"webhook_url,omitempty" doc:"Of chatwoot: the address to enter there as a webhook, for message_created and conversation_status_changed." example:"https://chat.example.com/webhook/chatwoot/0199b0f2-7c1e-7a54-b1de-2f6f6f1f4c11"`
	CreatedAt Time          `json:"created_at"`
	UpdatedAt Time          `json:"updated_at"`
}

// ChannelConfig is the JSON object that configures a channel.
type ChannelConfig json.RawMessage

func (c ChannelConfig) MarshalJSON() ([]byte, error)  { return json.RawMessage(c).MarshalJSON() }
func (c *ChannelConfig) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(c).UnmarshalJSON(b) }
func (ChannelConfig) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Examples: []any{map[string]any{"sender": "+49 30 1234"}}}
}

// channelAt shows channels to whoever reaches this server under origin.
func channelAt(origin string) func(domain.Channel) Channel {
	return func(c domain.Channel) Channel {
		out := Channel{ID: string(c.ID), Name: c.Name, Kind: string(c.Kind), AgentID: orNull(c.AgentID), Enabled: c.Enabled, ReplyURL: c.ReplyURL,
			Signed: c.Secret != "", Config: ChannelConfig(c.DisplayConfig()), CreatedAt: Time(c.CreatedAt), UpdatedAt: Time(c.UpdatedAt)}
		if c.Kind == domain.ChannelChatwoot {
			at := origin + c.WebhookPath()
			out.Webhook = &at
		}
		return out
	}
}

// ChannelFields is what can be set of a channel.
type ChannelFields struct {
	Name     *string             `json:"name,omitempty" doc:"1 to 64 characters. Threads keep the name they began under." example:"sms"`
	Kind     *domain.ChannelKind `json:"kind,omitempty" enum:"generic,chatwoot" example:"generic"`
	AgentID  Choice              `json:"agent_id,omitzero" doc:"Who answers there; null: people only."`
	Enabled  *bool               `json:"enabled,omitempty" doc:"Off: events are recorded, but no agent is asked and no reply leaves." example:"true"`
	ReplyURL Clearable           `json:"reply_url,omitzero" doc:"Where what is said in its threads goes; null or empty: it stays in Parley. Of chatwoot it is config.base_url." example:"https://sms.example.com/outbound"`
	Secret   Clearable           `json:"secret,omitzero" doc:"Signs what goes to reply_url, of chatwoot what comes from there; never shown. Null or empty: it is not signed." example:"correct horse battery staple"`
	Config   *ChannelConfig      `json:"config,omitempty" doc:"Takes the place of the one before. Of chatwoot: base_url and account_id are needed; api_access_token is write-only, and absent, empty or ******** keeps what is stored; what comes in anywhere but in inboxes is ignored, and without an agent_id of its own an inbox has the channel's; fallback_text is what contacts are told when the agent has failed for good."`
}

func (f ChannelFields) over(in account.ChannelInput) (account.ChannelInput, error) {
	if f.AgentID.Given {
		id, err := parseField[domain.AgentID]("agent_id", f.AgentID.ID)
		if err != nil {
			return in, err
		}
		in.AgentID = id
	}
	lay(&in.Name, f.Name)
	lay(&in.Kind, f.Kind)
	lay(&in.Enabled, f.Enabled)
	f.ReplyURL.lay(&in.ReplyURL)
	f.Secret.lay(&in.Secret)
	if f.Config != nil {
		in.Config = json.RawMessage(*f.Config)
	}
	return in, nil
}

func channelInput(c domain.Channel) account.ChannelInput {
	in := account.ChannelInput{Name: c.Name, Kind: c.Kind, AgentID: c.AgentID, Enabled: c.Enabled, ReplyURL: c.ReplyURL, Secret: c.Secret, Config: c.Config}
	if c.Kind == domain.ChannelChatwoot {
		in.ReplyURL = "" // it goes with the config
	}
	return in
}

// ChannelCreate is the body that makes a channel.
type ChannelCreate struct{ ChannelFields }

type createChannelRequest struct {
	Body ChannelCreate `example:"{\"name\":\"sms\",\"reply_url\":\"https://sms.example.com/outbound\",\"secret\":\"correct horse battery staple\"}"`
}

type updateChannelRequest struct {
	Path
	Match
	Body ChannelFields `example:"{\"enabled\":false}"`
}

func (a *API) channelOperations() {
	const tag = tagChannels
	add(a, operation(http.MethodGet, "/channels", "list-channels", tag, "List channels", "All channels of the organisation, the oldest first."), a.listChannels)
	add(a, creates(ownerOperation(http.MethodPost, "/channels", "create-channel", tag, "Create a channel",
		"Events of any channel are taken, whether it was created or not; one that was has an agent and a way for replies.")), a.createChannel)
	add(a, operation(http.MethodGet, "/channels/{id}", "get-channel", tag, "Read a channel", ""), a.getChannel)
	add(a, contested(changes(ownerOperation(http.MethodPatch, "/channels/{id}", "update-channel", tag, "Change a channel", "Only the fields given change."))), a.updateChannel)
	add(a, ownerOperation(http.MethodDelete, "/channels/{id}", "delete-channel", tag, "Delete a channel", "Its threads stay; what waits to be delivered there is given up."), a.deleteChannel)
	add(a, ownerOperation(http.MethodPost, "/channels/{id}/test", "test-channel", tag, "Ask what is at its other end",
		"Of chatwoot only: asks the account for its inboxes and waits at most ten seconds. That it failed is an answer too: `ok` is false and `error` says why."), a.testChannel)
	add(a, ownerOperation(http.MethodPost, "/channels/{id}/retry", "retry-channel", tag, "Deliver it after all",
		"Of chatwoot only: tries all that could not be posted there again, for another day, in its order."), a.retryChannel)
	a.expect("ChannelCreate", []string{"name"}, map[string]any{"kind": domain.ChannelGeneric, "enabled": true})
}

func (a *API) listChannels(ctx context.Context, in *struct{ Paging }) (*Answer[List[Channel]], error) {
	all, err := a.Account.Channels(ctx, callerOf(ctx).scope())
	if err != nil {
		return nil, err
	}
	cs, next, err := page(all, func(c domain.Channel) domain.ChannelID { return c.ID }, in.Paging)
	return list(cs, channelAt(a.origin(ctx)), next), err
}

func (a *API) createChannel(ctx context.Context, in *createChannelRequest) (*Tagged[Channel], error) {
	input, err := in.Body.over(account.ChannelInput{Kind: domain.ChannelGeneric, Enabled: true})
	if err != nil {
		return nil, err
	}
	made, err := a.Account.CreateChannel(ctx, callerOf(ctx).scope(), input)
	return tagged(channelAt(a.origin(ctx))(made)), err
}

func (a *API) getChannel(ctx context.Context, in *struct{ Path }) (*Tagged[Channel], error) {
	id, err := domain.ParseID[domain.ChannelID](in.ID)
	if err != nil {
		return nil, err
	}
	c, err := a.Account.Channel(ctx, callerOf(ctx).scope(), id)
	return tagged(channelAt(a.origin(ctx))(c)), err
}

func (a *API) updateChannel(ctx context.Context, in *updateChannelRequest) (*Tagged[Channel], error) {
	id, err := domain.ParseID[domain.ChannelID](in.ID)
	if err != nil {
		return nil, err
	}
	changed, err := a.Account.ChangeChannel(ctx, callerOf(ctx).scope(), id, func(now domain.Channel) (account.ChannelInput, error) {
		if err := in.check(channelAt(a.origin(ctx))(now)); err != nil {
			return account.ChannelInput{}, err
		}
		return in.Body.over(channelInput(now))
	})
	return tagged(channelAt(a.origin(ctx))(changed)), err
}

func (a *API) deleteChannel(ctx context.Context, in *struct{ Path }) (*Nothing, error) {
	id, err := domain.ParseID[domain.ChannelID](in.ID)
	if err != nil {
		return nil, err
	}
	return &Nothing{}, a.Account.DeleteChannel(ctx, callerOf(ctx).scope(), id)
}

// ChannelTest is the outcome of asking what is at a channel's other end.
type ChannelTest struct {
	OK      bool           `json:"ok" doc:"Whether it is there and knows us." example:"true"`
	MS      float64        `json:"ms" doc:"Milliseconds until it answered." example:"48.2"`
	Inboxes []ChannelInbox `json:"inboxes" doc:"That it has."`
	Error   string         `json:"error,omitempty" doc:"What went wrong, in one sentence." example:""`
}

// ChannelInbox is an inbox as its Chatwoot names it.
type ChannelInbox struct {
	ID   string `json:"id" example:"1"`
	Name string `json:"name" example:"Website"`
}

// Retried is how much is tried again.
type Retried struct {
	Retried int64 `json:"retried" example:"3"`
}

// chatwoot reads the Chatwoot account that a path names.
func (a *API) chatwoot(ctx context.Context, path string) (domain.Channel, error) {
	id, err := domain.ParseID[domain.ChannelID](path)
	if err != nil {
		return domain.Channel{}, err
	}
	c, err := a.Account.Channel(ctx, callerOf(ctx).scope(), id)
	if err == nil && c.Kind != domain.ChannelChatwoot {
		err = domain.Conflictf("this channel is no Chatwoot account")
	}
	return c, err
}

func (a *API) testChannel(ctx context.Context, in *struct{ Path }) (*Answer[ChannelTest], error) {
	c, err := a.chatwoot(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	got := a.TryChannel(ctx, c)
	out := ChannelTest{OK: got.OK, MS: got.MS, Error: got.Error, Inboxes: make([]ChannelInbox, len(got.Inboxes))}
	for i, box := range got.Inboxes {
		out.Inboxes[i] = ChannelInbox(box)
	}
	return &Answer[ChannelTest]{out}, nil
}

func (a *API) retryChannel(ctx context.Context, in *struct{ Path }) (*Answer[Retried], error) {
	c, err := a.chatwoot(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	n, err := a.Account.RetryChatwoot(ctx, c.OrgID, c.ID)
	return &Answer[Retried]{Retried{n}}, err
}
