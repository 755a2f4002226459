package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

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
	Org     string       `required:"" help:"The organisation's slug."`
	Name    string       `default:"command line" help:"What to recognise the key by."`
	Scope   domain.Scope `enum:"read,write,admin" default:"admin" help:"How far it reaches: read, write (also what the team does) or admin (also what only owners do)."`
	Expires expiry       `placeholder:"WHEN" help:"When it ends: in so many days or hours, as in 90d or 12h, or a date, as in 2027-01-31. Never if not given."`
	JSON    bool         `help:"Print JSON."`
}

// expiry is when a key ends, as somebody types it: from now on, or a day, which begins at midnight UTC.
type expiry struct{ at time.Time }

func (e *expiry) UnmarshalText(text []byte) error {
	s := string(text)
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		e.at = at
		return nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		e.at = at
		return nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			e.at = time.Now().AddDate(0, 0, n)
			return nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		e.at = time.Now().Add(d)
		return nil
	}
	return fmt.Errorf("%q is no time from now on such as 90d or 12h, and no date such as 2027-01-31", s)
}

func (c *apiKeyCreateCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	return withOrganisation(ctx, std, env, c.Org, func(accounts *account.Service, org domain.OrgID) error {
		key, k, err := accounts.CreateAPIKey(ctx, org, account.APIKeyInput{Name: c.Name, Scope: c.Scope, ExpiresAt: c.Expires.at})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(map[string]any{"key": key, "id": k.ID, "name": k.Name, "scope": k.Scope, "expires_at": timeOrNil(k.ExpiresAt)})
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
			list[i] = map[string]any{"id": k.ID, "name": k.Name, "prefix": k.Prefix, "scope": k.Scope, "created_at": k.CreatedAt.UTC(),
				"expires_at": timeOrNil(k.ExpiresAt), "last_used_at": timeOrNil(k.LastUsedAt)}
			used := "never used"
			if !k.LastUsedAt.IsZero() {
				used = "last used " + k.LastUsedAt.UTC().Format("2006-01-02 15:04")
			}
			if !c.JSON {
				fmt.Fprintf(std.Out, "%s  %s…  %-20s  %-5s  %s, %s\n", k.ID, k.Prefix, k.Name, k.Scope, used, until(k.ExpiresAt))
			}
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(map[string]any{"keys": list})
		}
		return nil
	})
}

// timeOrNil is nil for the zero time, which JSON shows as null.
func timeOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}

func until(t time.Time) string {
	switch now := time.Now(); {
	case t.IsZero():
		return "never expires"
	case t.After(now):
		return "expires " + t.UTC().Format("2006-01-02 15:04")
	}
	return "expired " + t.UTC().Format("2006-01-02 15:04")
}

type apiKeyRevokeCmd struct {
	Org  string `required:"" help:"The organisation's slug."`
	ID   string `arg:"" help:"The key's id, as apikey list shows it."`
	JSON bool   `help:"Print JSON."`
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
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(map[string]any{"id": id, "revoked": true})
		}
		_, err := fmt.Fprintln(std.Out, "revoked")
		return err
	})
}

// withOrganisation runs f for the organisation of a slug, on a database whose schema is up to date.
func withOrganisation(ctx context.Context, std *stdio, env getenv, slug string, f func(*account.Service, domain.OrgID) error) error {
	return withMigrated(ctx, std, env, func(_ config, l *ledger.Ledger) error {
		accounts := account.New(l)
		org, err := accounts.OrganisationBySlug(ctx, slug)
		if err != nil {
			return err
		}
		return f(accounts, org.ID)
	})
}
