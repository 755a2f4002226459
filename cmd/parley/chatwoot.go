package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
)

// chatwootMapping is an entry of INBOX_AGENT_MAPPINGS.
type chatwootMapping struct {
	InboxID domain.ForeignID `json:"inbox_id"`
	Agent   struct {
		ID             string  `json:"agent_id"`
		URL            string  `json:"websocket_url"`
		TimeoutSeconds float64 `json:"timeout_seconds"`
		MaxResponses   int     `json:"max_responses"`
		ConnectSeconds float64 `json:"connection_timeout"`
	} `json:"agent_config"`
}

// readChatwoot reads what the environment of a Chatwoot bridge says; nil: nothing. Whoever changes over to Parley keeps theirs.
func readChatwoot(env getenv) (*account.ChatwootSetup, error) {
	needed := []string{"CHATWOOT_BASE_URL", "CHATWOOT_API_ACCESS_TOKEN", "CHATWOOT_ACCOUNT_ID"}
	missing := slices.DeleteFunc(slices.Clone(needed), func(name string) bool { return env(name) != "" })
	switch {
	case len(missing) == len(needed):
		return nil, nil
	case len(missing) > 0:
		return nil, fmt.Errorf("to take a Chatwoot account over, %s is needed too", strings.Join(missing, " and "))
	}
	set := &account.ChatwootSetup{BaseURL: env("CHATWOOT_BASE_URL"), Token: env("CHATWOOT_API_ACCESS_TOKEN"), AccountID: env("CHATWOOT_ACCOUNT_ID"),
		Secret: env("CHATWOOT_WEBHOOK_SECRET"), Organisation: env("CHATWOOT_ORG")}
	var mappings []chatwootMapping
	if v := env("INBOX_AGENT_MAPPINGS"); v != "" {
		if err := json.Unmarshal([]byte(v), &mappings); err != nil {
			return nil, fmt.Errorf(`INBOX_AGENT_MAPPINGS must be a list such as [{"inbox_id":"1","agent_config":{"agent_id":"bot","websocket_url":"ws://127.0.0.1:9901"}}]: %w`, err)
		}
	}
	standard, err := readBridgeDefaults(env)
	if err != nil {
		return nil, err
	}
	for i, m := range mappings {
		box := account.ChatwootSetupInbox{InboxID: string(m.InboxID), Name: cmp.Or(m.Agent.ID, "Agent of inbox "+string(m.InboxID)), URL: m.Agent.URL,
			ConnectSeconds: cmp.Or(m.Agent.ConnectSeconds, standard.connect), AnswerSeconds: cmp.Or(m.Agent.TimeoutSeconds, standard.answer),
			MaxResponses: cmp.Or(m.Agent.MaxResponses, standard.responses)}
		if standard.one {
			box.MaxResponses = 1
		}
		if box.InboxID == "" || box.URL == "" {
			return nil, fmt.Errorf("INBOX_AGENT_MAPPINGS: entry %d needs an inbox_id and an agent_config.websocket_url", i+1)
		}
		set.Inboxes = append(set.Inboxes, box)
	}
	return set, nil
}

// bridgeDefaults hold for agents that say nothing else.
type bridgeDefaults struct {
	connect, answer float64 // seconds
	responses       int
	one             bool // only the first answer counts, whatever an agent says
}

func readBridgeDefaults(env getenv) (d bridgeDefaults, err error) {
	number := func(name string, standard float64) float64 {
		v := env(name)
		if v == "" {
			return standard
		}
		n, bad := strconv.ParseFloat(v, 64)
		if bad != nil || n <= 0 {
			err = errors.Join(err, fmt.Errorf("%s must be a number above 0, not %q", name, v))
		}
		return n
	}
	truth := func(name string, standard bool) bool {
		switch v := strings.ToLower(env(name)); v {
		case "":
			return standard
		case "1", "true", "yes", "on":
			return true
		case "0", "false", "no", "off":
			return false
		default:
			err = errors.Join(err, fmt.Errorf("%s must be true or false, not %q", name, v))
			return standard
		}
	}
	d.connect, d.answer = number("WEBSOCKET_CONNECT_TIMEOUT", 10), number("WEBSOCKET_MESSAGE_TIMEOUT", 30)
	d.responses = int(number("MAX_RESPONSES_PER_MESSAGE", 5))
	d.one = truth("PRIMARY_RESPONSE_ONLY", false) || !truth("ENABLE_MULTIPLE_RESPONSES", true)
	return d, err
}

// importEvery is how often to look whether there is an organisation by now that can have a Chatwoot account.
const importEvery = 2 * time.Second

// importChatwoot takes the account that the environment names over, once, and says so. done is false while its organisation is not
// there yet.
func (c config) importChatwoot(ctx context.Context, accounts *account.Service) (done bool) {
	made, err := accounts.ImportChatwoot(ctx, *c.chatwoot)
	switch {
	case err != nil && (domain.KindOf(err) == domain.NotFound || domain.KindOf(err) == domain.Unavailable || ctx.Err() != nil):
		return false
	case err != nil:
		c.log.ErrorContext(ctx, "could not take the Chatwoot account over from the environment", "account", c.chatwoot.AccountID, "err", err)
	case made.Channel.ID == "":
		c.log.InfoContext(ctx, "the Chatwoot account of the environment was taken over before: the portal's settings count", "account", c.chatwoot.AccountID)
	default:
		c.log.InfoContext(ctx, "took the Chatwoot account over from the environment: from now on the portal's settings count", "organisation", made.Organisation.Slug,
			"account", c.chatwoot.AccountID, "channel", made.Channel.Name, "inboxes", len(c.chatwoot.Inboxes), "agents", made.Agents,
			"webhook", "/webhook/chatwoot/"+string(made.Channel.ID), "signed", c.chatwoot.Secret != "")
	}
	return true
}

// awaitChatwoot is importChatwoot for when there is somebody who can have the account.
func (c config) awaitChatwoot(ctx context.Context, accounts *account.Service) error {
	c.log.InfoContext(ctx, "the Chatwoot account of the environment is taken over once there is an organisation", "account", c.chatwoot.AccountID)
	tick := time.NewTicker(importEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if c.importChatwoot(ctx, accounts) {
				return nil
			}
		}
	}
}
