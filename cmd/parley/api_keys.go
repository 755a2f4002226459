package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
)

type apiKeyCmd struct {
	Create apiKeyCreateCmd `cmd:"" help:"Create an API key and print it; it is shown this once."`
	List   apiKeyListCmd   `cmd:"" help:"List an organisation's API keys, without the keys themselves."`
	Revoke apiKeyRevokeCmd `cmd:"" help:"Revoke an API key for good."`
}

type apiKeyCreateCmd struct {
	Org  string `required:"" help:"The organisation's slug."`
	Name string `default:"command line" help:"What to recognise the key by."`
	JSON bool   `help:"Print JSON."`
}

func (c *apiKeyCreateCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	return withOrganisation(ctx, std, env, c.Org, func(accounts *account.Service, org domain.OrgID) error {
		key, k, err := accounts.CreateAPIKey(ctx, org, c.Name)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(map[string]any{"key": key, "id": k.ID, "name": k.Name})
		}
		_, err = fmt.Fprintln(std.Out, key)
		return err
	})
}

type apiKeyListCmd struct {
	Org  string `required:"" help:"The organisation's slug."`
	JSON bool   `help:"Print JSON."`
}

func (c *apiKeyListCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	return withOrganisation(ctx, std, env, c.Org, func(accounts *account.Service, org domain.OrgID) error {
		keys, err := accounts.APIKeys(ctx, org)
		if err != nil {
			return err
		}
		list := make([]map[string]any, len(keys))
		for i, k := range keys {
			list[i] = map[string]any{"id": k.ID, "name": k.Name, "prefix": k.Prefix, "created_at": k.CreatedAt.UTC(), "last_used_at": nil}
			used := "never used"
			if !k.LastUsedAt.IsZero() {
				list[i]["last_used_at"] = k.LastUsedAt.UTC()
				used = "last used " + k.LastUsedAt.UTC().Format("2006-01-02 15:04")
			}
			if !c.JSON {
				fmt.Fprintf(std.Out, "%s  %s…  %-20s  %s\n", k.ID, k.Prefix, k.Name, used)
			}
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(map[string]any{"keys": list})
		}
		return nil
	})
}

type apiKeyRevokeCmd struct {
	Org string `required:"" help:"The organisation's slug."`
	ID  string `arg:"" help:"The key's id, as apikey list shows it."`
}

func (c *apiKeyRevokeCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	id, err := domain.ParseID[domain.APIKeyID](c.ID)
	if err != nil {
		return err
	}
	return withOrganisation(ctx, std, env, c.Org, func(accounts *account.Service, org domain.OrgID) error {
		if err := accounts.DeleteAPIKey(ctx, org, id); err != nil {
			return err
		}
		_, err := fmt.Fprintln(std.Out, "revoked")
		return err
	})
}

// withOrganisation runs f for the organisation of a slug, on a database whose schema is up to date.
func withOrganisation(ctx context.Context, std *stdio, env getenv, slug string, f func(*account.Service, domain.OrgID) error) error {
	cfg, err := readConfig(env, std.Err)
	if err != nil {
		return err
	}
	return withLedger(ctx, cfg, func(l *ledger.Ledger) error {
		if _, err := ledger.MigrateUp(ctx, l.DB()); err != nil {
			return err
		}
		accounts := account.New(l)
		org, err := accounts.OrganisationBySlug(ctx, slug)
		if err != nil {
			return err
		}
		return f(accounts, org.ID)
	})
}
