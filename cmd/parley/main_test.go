package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// asProgram makes the test binary be the program itself, for tests that have to kill it.
const asProgram = "PARLEY_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	ledgertest.Main(m)
}
