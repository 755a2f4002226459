package chat_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"
)

// A visitor is not shown for ever that somebody writes whose browser has gone away.
func TestWritingEndsByItself(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	r := relay.New(l, slog.New(slog.DiscardHandler))
	s := chat.New(l, r, slog.New(slog.DiscardHandler))
	s.TypingFor(time.Millisecond)
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(stop)
	var told []bool
	for u, err := range r.Follow(ctx, f.Org, f.Thread, 0) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case u.Standing != nil: // it listens
			if err := s.Writes(ctx, f.User, f.Thread, true); err != nil {
				t.Fatal(err)
			}
		case u.Hint != nil:
			told = append(told, u.Hint.On)
		}
		if len(told) == 2 {
			break
		}
	}
	if len(told) != 2 || !told[0] || told[1] {
		t.Errorf("told %v, want that somebody writes, and that they stopped", told)
	}
}
