package chat_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/chat"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
	"github.com/parley-chat/parley/domain/relay"

	"log/slog"
)

// A line's first delivery by each transport is on record once, however often it is written; the visitor's own lines are not.
func TestDeliveriesAreOnRecord(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	s := chat.New(l, relay.New(l, slog.New(slog.DiscardHandler)), slog.New(slog.DiscardHandler))
	if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread,
		Change: ledger.Line{SessionID: f.Session.ID, ClientID: "1", Content: "hello"}}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		if _, _, err := s.Reply(t.Context(), f.User, f.Thread, id, "answer "+id); err != nil {
			t.Fatal(err)
		}
	}
	ms, err := s.Messages(t.Context(), f.Org, f.Thread, 0, 9)
	if err != nil || len(ms) != 3 {
		t.Fatalf("%v, %v", ms, err)
	}
	flush := func(told ...func()) { // Run stores what is left when it ends
		for _, f := range told {
			f()
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = s.Run(ctx) })
		stop()
		wg.Wait()
	}
	all := func(transport string) func() {
		return func() {
			for _, m := range ms {
				s.Delivered(m, transport)
			}
		}
	}
	flush(func() { s.Delivered(ms[0], "websocket"); s.Delivered(ms[1], "websocket") })
	flush(all("websocket"), all("poll")) // a second connection reads from the beginning
	flush(all("websocket"), func() {
		s.Delivered(domain.Message{OrgID: f.Org, ThreadID: ledger.NewID[domain.ThreadID](), Seq: 9, Direction: domain.Outbound}, "sse")
	})
	items, err := s.Timeline(t.Context(), f.Org, f.Thread)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, i := range items {
		if i.Kind == domain.Delivered {
			transport := "poll"
			if strings.Contains(string(i.Detail), "websocket") {
				transport = "websocket"
			}
			got[transport+" "+string(i.MessageID)]++
			if time.Since(i.At) > time.Minute || i.At.After(time.Now().Add(time.Second)) {
				t.Errorf("at %s", i.At)
			}
		}
	}
	want := map[string]int{}
	for _, m := range ms[1:] {
		want["websocket "+string(m.ID)], want["poll "+string(m.ID)] = 1, 1
	}
	if len(got) != 4 {
		t.Errorf("delivered %v, want %v", got, want)
	}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%s: %d times, want %d", k, got[k], n)
		}
	}
}
