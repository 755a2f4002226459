package account

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
)

// ChatwootSetup is a Chatwoot account with its agents as the environment of a bridge describes it.
type ChatwootSetup struct {
	BaseURL      string
	Token        string
	AccountID    string
	Secret       string // signs its webhooks; empty: they are not signed
	Inboxes      []ChatwootSetupInbox
	Organisation string // slug of whose it becomes; empty: the only one there is
}

// ChatwootSetupInbox is an inbox and the service that answers in it.
type ChatwootSetupInbox struct {
	InboxID        string
	Name           string // what the service calls itself
	URL            string // ws:// or wss://
	ConnectSeconds float64
	AnswerSeconds  float64
	MaxResponses   int
}

// ChatwootImport is what came of taking a setup over.
type ChatwootImport struct {
	Organisation domain.Organisation
	Channel      domain.Channel // ID empty: nothing was made, because it had been before
	Agents       int            // made for it
}

// chatwootName is what a channel taken over from the environment is called, if nothing else is.
const chatwootName = "chatwoot"

// ImportChatwoot takes a setup over, once: an account that was taken over before is left as its owners have it, also where they have
// deleted it. Inboxes with the same service share an agent, which waits for no further lines. It fails with NotFound while there is no
// such organisation, with Conflict when there are several and none is named, and with Invalid.
func (s *Service) ImportChatwoot(ctx context.Context, set ChatwootSetup) (ChatwootImport, error) {
	org, err := s.chatwootOwner(ctx, set.Organisation)
	if err != nil {
		return ChatwootImport{}, err
	}
	var made ChatwootImport
	err = s.ledger.InTx(ctx, func(tx *ledger.Ledger) error {
		made = ChatwootImport{Organisation: org}
		base := chatwootBase(problems{}, set.BaseURL)
		fresh, err := tx.BeginChatwootImport(ctx, org.ID, base, set.AccountID)
		if err != nil || !fresh {
			return err
		}
		channels, err := tx.Channels(ctx, org.ID)
		if err != nil {
			return err
		}
		for _, c := range channels {
			if cw := c.Chatwoot(); c.Kind == domain.ChannelChatwoot && cw.BaseURL == base && cw.AccountID == set.AccountID {
				return nil // somebody has set it up by hand
			}
		}
		inboxes, agents, err := set.agents(ctx, tx, org.ID)
		if err != nil {
			return err
		}
		made.Agents = agents
		config, _ := json.Marshal(map[string]any{"base_url": base, "account_id": set.AccountID, "api_access_token": set.Token, "inboxes": inboxes}) // cannot fail
		made.Channel, err = ChannelInput{Name: freeName(channels), Kind: domain.ChannelChatwoot, Enabled: true, Secret: set.Secret, Config: config}.
			over(domain.Channel{ID: ledger.NewID[domain.ChannelID](), OrgID: org.ID, CreatedAt: now()})
		if err != nil {
			return err
		}
		return createChannel(ctx, tx, made.Channel)
	})
	if err != nil {
		return ChatwootImport{}, err
	}
	return made, nil
}

func (s *Service) chatwootOwner(ctx context.Context, slug string) (domain.Organisation, error) {
	if slug != "" {
		return s.OrganisationBySlug(ctx, slug)
	}
	org, err := s.OnlyOrganisation(ctx)
	if domain.KindOf(err) == domain.Conflict {
		err = domain.Conflictf("there are several organisations: name the one with CHATWOOT_ORG")
	}
	return org, err
}

// agents makes the agents of the inboxes, one a service.
func (set ChatwootSetup) agents(ctx context.Context, tx *ledger.Ledger, org domain.OrgID) (inboxes []domain.ChatwootInbox, made int, err error) {
	known := map[ChatwootSetupInbox]domain.AgentID{}
	for _, box := range set.Inboxes {
		service := box
		service.InboxID = ""
		id, ok := known[service]
		if !ok {
			config, _ := json.Marshal(map[string]any{"url": box.URL, "connect_timeout_seconds": box.ConnectSeconds, "timeout_seconds": box.AnswerSeconds, "max_responses": box.MaxResponses})
			d := domain.NewAgent(org, box.Name, domain.AgentWebSocket)
			a, err := newAgent(org, AgentInput{Name: box.Name, Kind: domain.AgentWebSocket, Enabled: true, SendMode: domain.Autonomous,
				MaxAttempts: d.MaxAttempts, MaxConcurrent: d.MaxConcurrent, GiveUpSeconds: d.GiveUpSeconds, Config: config})
			if err == nil {
				err = tx.CreateAgent(ctx, a)
			}
			if err != nil {
				return nil, 0, fmt.Errorf("the agent of inbox %s: %w", box.InboxID, err)
			}
			id, made, known[service] = a.ID, made+1, a.ID
		}
		inboxes = append(inboxes, domain.ChatwootInbox{InboxID: box.InboxID, AgentID: id})
	}
	return inboxes, made, nil
}

func freeName(taken []domain.Channel) string {
	for n := 1; ; n++ {
		name := chatwootName
		if n > 1 {
			name = fmt.Sprint(chatwootName, "-", n)
		}
		if !slices.ContainsFunc(taken, func(c domain.Channel) bool { return c.Name == name }) {
			return name
		}
	}
}
