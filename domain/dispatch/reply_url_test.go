package dispatch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// Replies over a channel arrive in order, signed, through failures of the other side, and each at least once.
func TestReplyURLGetsEveryReplyInOrder(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	const replies = 8
	var mu sync.Mutex
	var got []string
	done := make(chan struct{})
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls%3 == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		stamp, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("X-Parley-Signature"), "t="), ",")
		at, _ := strconv.ParseInt(stamp, 10, 64)
		if r.Header.Get("X-Parley-Signature") != agent.Signature(time.Unix(at, 0), body, "hush") || r.Header.Get("X-Parley-Delivery") == "" {
			t.Errorf("signed %q", r.Header.Get("X-Parley-Signature"))
		}
		var in struct {
			Event, Channel string
			Message        struct{ Content, Direction string }
			Thread         struct{ ID string }
			Contact        struct{ Name string }
		}
		if err := json.Unmarshal(body, &in); err != nil || in.Event != "message" || in.Channel != "sms" || in.Message.Direction != "outbound" || in.Contact.Name != "Grace" || in.Thread.ID == "" {
			t.Errorf("%s, %v", body, err)
		}
		if got = append(got, in.Message.Content); in.Message.Content == fmt.Sprint("reply ", replies-1) {
			close(done)
		}
	}))
	t.Cleanup(server.Close)
	if _, err := account.New(l).CreateChannel(t.Context(), f.Org, account.ChannelInput{Name: "sms", Kind: domain.ChannelGeneric, Enabled: true, ReplyURL: server.URL, Secret: "hush"}); err != nil {
		t.Fatal(err)
	}
	courier := dispatch.NewCourier(l, map[string]dispatch.Transport{ledger.TransportReplyURL: &dispatch.ReplyURL{Ledger: l, Outbound: &agent.Outbound{}}}, slog.New(slog.DiscardHandler))
	c, err := l.ResolveContact(t.Context(), f.Org, ledger.Identifiers{ExternalID: "c", Name: "Grace"})
	if err != nil {
		t.Fatal(err)
	}
	thread, err := l.EnsureChannelThread(t.Context(), ledger.ChannelThread{OrgID: f.Org, ContactID: c.ID, Channel: "sms"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = courier.Run(ctx) })
	defer running.Wait()
	defer stop()
	for i := range replies {
		if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: thread.ID, Change: ledger.PersonReply{User: f.User, ClientID: fmt.Sprint(i), Content: fmt.Sprint("reply ", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatal("the last reply has not arrived")
	}
	mu.Lock()
	defer mu.Unlock()
	for i := range replies {
		if i >= len(got) || got[i] != fmt.Sprint("reply ", i) {
			t.Fatalf("got %q", got)
		}
	}
}

// What cannot be delivered is put where a person sees it.
func TestReplyURLGivesUpWhatNobodyWants(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	t.Cleanup(server.Close)
	if _, err := account.New(l).CreateChannel(t.Context(), f.Org, account.ChannelInput{Name: "sms", Kind: domain.ChannelGeneric, Enabled: true, ReplyURL: server.URL}); err != nil {
		t.Fatal(err)
	}
	thread, err := l.EnsureChannelThread(t.Context(), ledger.ChannelThread{OrgID: f.Org, ContactID: f.Contact, Channel: "sms"})
	if err != nil {
		t.Fatal(err)
	}
	courier := dispatch.NewCourier(l, map[string]dispatch.Transport{ledger.TransportReplyURL: &dispatch.ReplyURL{Ledger: l, Outbound: &agent.Outbound{}}}, slog.New(slog.DiscardHandler))
	if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: thread.ID, Change: ledger.PersonReply{User: f.User, ClientID: "1", Content: "Hello."}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = courier.Run(ctx) })
	defer running.Wait()
	defer stop()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		dead, err := l.Deliveries(t.Context(), f.Org, ledger.DeliveryFilter{Statuses: []string{"dead"}, Limit: 9})
		if err != nil {
			t.Fatal(err)
		}
		if len(dead) == 1 && strings.Contains(dead[0].LastError, "410") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("dead: %v", dead)
		}
	}
}
