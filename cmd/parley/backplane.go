package main

import (
	"context"
	"fmt"

	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/relay"
)

// readBackplane is the address of the NATS that carries hints between nodes; empty when Postgres does.
func readBackplane(env getenv) (string, error) {
	v := env("PARLEY_BACKPLANE")
	if v == "" || v == "postgres" {
		return "", nil
	}
	if err := relay.CheckNATS(v); err != nil {
		return "", fmt.Errorf("PARLEY_BACKPLANE must be postgres, or %w", err)
	}
	return v, nil
}

// newRelay makes the relay of a ledger, over the backplane that the environment names.
func (c config) newRelay(ctx context.Context, l *ledger.Ledger) (*relay.Relay, error) {
	r := relay.New(l, c.log)
	if c.nats == "" {
		return r, nil
	}
	identity, err := l.Identity(ctx)
	if err != nil {
		return nil, err
	}
	plane, err := relay.NewNATS(c.nats, identity, c.log)
	if err != nil {
		return nil, fmt.Errorf("PARLEY_BACKPLANE: %w", err)
	}
	r.Over(plane)
	return r, nil
}

func (c config) checkBackplane(ctx context.Context) (string, error) {
	if c.nats == "" {
		return "hints go over Postgres", nil
	}
	server, err := relay.PingNATS(ctx, c.nats)
	if err != nil {
		return "", fmt.Errorf("NATS does not answer (PARLEY_BACKPLANE): %w", err)
	}
	return "hints go over " + server, nil
}
