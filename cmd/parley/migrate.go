package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/parley-chat/parley/domain/ledger"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply every migration that is missing."`
	Down   migrateDownCmd   `cmd:"" help:"Roll the last group of migrations back. This drops data."`
	Status migrateStatusCmd `cmd:"" help:"List all migrations and which are applied."`
}

type migrateUpCmd struct {
	JSON bool `help:"Print JSON."`
}

func (c *migrateUpCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	return migrate(ctx, std, env, c.JSON, "applied", func(l *ledger.Ledger) ([]string, error) { return ledger.MigrateUp(ctx, l.DB()) })
}

type migrateDownCmd struct {
	JSON bool `help:"Print JSON."`
}

func (c *migrateDownCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	return migrate(ctx, std, env, c.JSON, "rolled_back", func(l *ledger.Ledger) ([]string, error) { return ledger.MigrateDown(ctx, l.DB()) })
}

func migrate(ctx context.Context, std *stdio, env getenv, asJSON bool, did string, work func(*ledger.Ledger) ([]string, error)) error {
	cfg, err := readConfig(env, std.Err)
	if err != nil {
		return err
	}
	return withLedger(ctx, cfg, func(l *ledger.Ledger) error {
		names, err := work(l)
		if err != nil {
			return err
		}
		if asJSON {
			if names == nil {
				names = []string{}
			}
			return json.NewEncoder(std.Out).Encode(map[string]any{did: names})
		}
		if len(names) == 0 {
			fmt.Fprintln(std.Out, "nothing to do")
		}
		for _, n := range names {
			fmt.Fprintf(std.Out, "%s %s\n", map[string]string{"applied": "applied", "rolled_back": "rolled back"}[did], n)
		}
		return nil
	})
}

type migrateStatusCmd struct {
	JSON bool `help:"Print JSON."`
}

func (c *migrateStatusCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	cfg, err := readConfig(env, std.Err)
	if err != nil {
		return err
	}
	return withLedger(ctx, cfg, func(l *ledger.Ledger) error {
		all, err := ledger.MigrationStatus(ctx, l.DB())
		if err != nil {
			return err
		}
		if c.JSON {
			list := make([]map[string]any, len(all))
			for i, m := range all {
				list[i] = map[string]any{"name": m.Name, "applied_at": nil, "unknown": m.Unknown}
				if !m.AppliedAt.IsZero() {
					list[i]["applied_at"] = m.AppliedAt.UTC()
				}
			}
			return json.NewEncoder(std.Out).Encode(map[string]any{"migrations": list})
		}
		for _, m := range all {
			applied := "missing"
			if !m.AppliedAt.IsZero() {
				applied = "applied " + m.AppliedAt.UTC().Format("2006-01-02 15:04:05")
			}
			fmt.Fprintf(std.Out, "%-40s %s\n", m.Name, applied)
		}
		return nil
	})
}
