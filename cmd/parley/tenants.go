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
	Create   ownerCreateCmd   `cmd:"" help:"Create an owner, and their organisation if it is new. The password is read from stdin."`
	Password ownerPasswordCmd `cmd:"" help:"Give somebody who has lost their password another one, read from stdin. They are signed out everywhere."`
}

type ownerCreateCmd struct {
	Org   string `required:"" help:"The organisation's slug, such as acme."`
	Email string `required:"" help:"What the owner signs in with."`
	Name  string `help:"The owner's name; by default what stands before the @."`
	JSON  bool   `help:"Print JSON."`
}

func (c *ownerCreateCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	password, err := readPassword(std.In, "parley owner create --org acme --email anna@example.com < password.txt")
	if err != nil {
		return err
	}
	name := c.Name
	if name == "" {
		name, _, _ = strings.Cut(c.Email, "@")
	}
	return withMigrated(ctx, std, env, func(_ config, l *ledger.Ledger) error {
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

type ownerPasswordCmd struct {
	Email string `required:"" help:"What they sign in with."`
	JSON  bool   `help:"Print JSON."`
}

func (c *ownerPasswordCmd) Run(ctx context.Context, std *stdio, env getenv) error {
	password, err := readPassword(std.In, "parley owner password --email anna@example.com < password.txt")
	if err != nil {
		return err
	}
	return withMigrated(ctx, std, env, func(_ config, l *ledger.Ledger) error {
		u, err := account.New(l).ResetPassword(ctx, c.Email, password)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(std.Out).Encode(map[string]any{"id": u.ID, "org_id": u.OrgID, "email": u.Email})
		}
		_, err = fmt.Fprintf(std.Out, "%s can sign in with the new password now, and is signed out everywhere else.\n", u.Email)
		return err
	})
}

// readPassword reads the first line of stdin. Example is how to give it.
func readPassword(in io.Reader, example string) (string, error) {
	password, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("cannot read the password from stdin: %w", err)
	}
	if password = strings.TrimRight(password, "\r\n"); password == "" {
		return "", errors.New("give the password on stdin, as in: " + example)
	}
	return password, nil
}
