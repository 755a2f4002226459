package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/ledger"
)

type ownerCmd struct {
	Create ownerCreateCmd `cmd:"" help:"Create an owner, and their organisation if it is new. The password is read from stdin."`
}

type ownerCreateCmd struct {
	Org   string `required:"" help:"The organisation's slug, such as acme."`
	Email string `required:"" help:"What the owner signs in with."`
	Name  string `help:"The owner's name; by default what stands before the @."`
	JSON  bool   `help:"Print JSON."`
}

func (c *ownerCreateCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	password, err := bufio.NewReader(std.In).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read the password from stdin: %w", err)
	}
	password = strings.TrimRight(password, "\r\n")
	if password == "" {
		return errors.New("give the password on stdin, as in: parley owner create --org acme --email anna@example.com < password.txt")
	}
	name := c.Name
	if name == "" {
		name, _, _ = strings.Cut(c.Email, "@")
	}
	cfg, err := readConfig(env, std.Err)
	if err != nil {
		return err
	}
	return withLedger(ctx, cfg, func(l *ledger.Ledger) error {
		if _, err := ledger.MigrateUp(ctx, l.DB()); err != nil {
			return err
		}
		u, err := account.New(l).CreateOwner(ctx, c.Org, account.Owner{Organisation: c.Org, Name: name, Email: c.Email, Password: password})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(map[string]any{"id": u.ID, "org_id": u.OrgID, "email": u.Email})
		}
		_, err = fmt.Fprintf(std.Out, "%s can sign in now.\n", u.Email)
		return err
	})
}
