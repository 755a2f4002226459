package dispatch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/agent"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/dispatch/mailtest"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// mailbox is a mail server that takes everything, but for the first few, which it asks to come again.
type mailbox struct {
	*mailtest.Mailbox
	smtp   dispatch.SMTP
	refuse atomic.Int32
}

func openMailbox(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{}
	m.Mailbox = mailtest.Open(t, func(verb string) string {
		if verb == "MAIL" && m.refuse.Add(-1) >= 0 {
			return "451 come again"
		}
		return ""
	})
	m.smtp = dispatch.SMTP{Host: "127.0.0.1", Port: int(netip.MustParseAddrPort(m.Addr).Port()), From: "chat@parley.example"}
	return m
}

func startCourier(t *testing.T, l *ledger.Ledger, ways map[string]dispatch.Transport) *dispatch.Courier {
	t.Helper()
	c := dispatch.NewCourier(l, ways, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = c.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return c
}

// Over two nodes the visitor is told once, and each owner gets one mail.
func TestWhoWaitsTooLongIsToldOnce(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	nodes := []*ledger.Ledger{ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)}
	l := nodes[0]
	f := ledgertest.Seed(t, l)
	ledgertest.Set(t, l, "widgets", f.Widget, "handoff_after_seconds", 1)
	box := openMailbox(t)
	box.refuse.Store(1)
	for _, l := range nodes {
		l.Mails()
		startCourier(t, l, map[string]dispatch.Transport{"mail": &dispatch.Mail{SMTP: box.smtp, PublicURL: "https://chat.example", Ledger: l}})
		start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
			return agent.Result{Handoff: &agent.Handoff{Reason: "asked"}}, nil
		}, dispatch.Options{})
	}
	say(t, l, f, "1")
	eventually(t, l, f, "the visitor told", func(_ []domain.TimelineKind, ms []domain.Message) bool { return len(ms) == 2 })
	until(t, "a mail", func() bool { return len(box.All()) > 0 })
	eventually(t, l, f, "the mail on the record", has(domain.Delivered))
	if _, err := nodes[1].Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.Waited{}}); err != nil {
		t.Fatal(err)
	}
	kinds, ms := look(t, l, f)
	if len(ms) != 2 || ms[1].Author.Kind != domain.AuthorSystem || ms[1].Content != domain.WaitingText("", "en", true) || count(kinds, domain.Delivered) != 1 {
		t.Errorf("%v %v", contents(ms), kinds)
	}
	mails := box.All()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	for _, want := range []string{"Message-ID: <", "@parley.example>", "From: <chat@parley.example>", "To: <" + f.User.Email, "line 1", "https://chat.example/threads/" + string(f.Thread)[:8]} {
		if !strings.Contains(mails[0], want) {
			t.Errorf("the mail lacks %q:\n%s", want, mails[0])
		}
	}
	st, _, err := l.Since(t.Context(), f.Org, f.Thread, 0, 1)
	if err != nil || !st.AskEmail {
		t.Errorf("standing %+v, %v; want the address asked for", st, err)
	}
	if err := l.SetContactDetails(t.Context(), f.Org, f.Contact, "", "grace@example.com", ""); err != nil {
		t.Fatal(err)
	}
	if st, _, _ = l.Since(t.Context(), f.Org, f.Thread, 0, 1); st.AskEmail {
		t.Error("it is asked for though it is known")
	}
}

// While the agent is silent people are asked beside it; when it answers, nobody waits any more.
func TestAgentThatKeepsSomebodyWaiting(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	ledgertest.Set(t, l, "widgets", f.Widget, "handoff_after_seconds", 1)
	goOn := make(chan struct{})
	start(t, l, func(context.Context, agent.TurnRequest, agent.Sink) (agent.Result, error) {
		<-goOn
		return answer("at last")
	}, dispatch.Options{})
	say(t, l, f, "1")
	offered := func() bool {
		cs, err := l.Conversations(t.Context(), f.Org, ledger.ConversationFilter{Waiting: true, Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		return len(cs) == 1 && cs[0].Handling == domain.HandlingAgent
	}
	until(t, "the thread among those that wait", offered)
	close(goOn)
	eventually(t, l, f, "an answer", agentSaid(1))
	if offered() {
		t.Error("it still waits though it is answered")
	}
}

// dropbox is a transport of a test's own.
type dropbox func(ledger.Delivery) error

func (d dropbox) Send(_ context.Context, dl ledger.Delivery) error { return d(dl) }

func TestDeliveriesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	a, b := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	f := ledgertest.Seed(t, a)
	var mu sync.Mutex
	var arrived []string
	failed := map[string]bool{}
	box := dropbox(func(d ledger.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		n := string(d.Payload)
		if d.Attempts == 1 && !failed[n] && len(failed) < 2 {
			failed[n] = true
			return fmt.Errorf("try again")
		}
		arrived = append(arrived, n)
		return nil
	})
	const many = 8
	for i := range many {
		if err := a.Enqueue(t.Context(), ledger.Delivery{OrgID: f.Org, ThreadID: f.Thread, Transport: "box", Target: "x", Payload: json.RawMessage(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	startCourier(t, a, map[string]dispatch.Transport{"box": box})
	startCourier(t, b, map[string]dispatch.Transport{"box": box})
	until(t, "all of them", func() bool { mu.Lock(); defer mu.Unlock(); return len(arrived) == many })
	if got := fmt.Sprint(arrived); got != "[0 1 2 3 4 5 6 7]" {
		t.Errorf("arrived as %s", got)
	}
}

func TestDeadDeliveryCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, other := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	var mended atomic.Bool
	c := startCourier(t, l, map[string]dispatch.Transport{"box": dropbox(func(ledger.Delivery) error {
		if mended.Load() {
			return nil
		}
		return &dispatch.Undeliverable{Err: fmt.Errorf("nobody lives there")}
	})})
	if err := l.Enqueue(t.Context(), ledger.Delivery{OrgID: f.Org, ThreadID: f.Thread, Transport: "box", Target: "x"}); err != nil {
		t.Fatal(err)
	}
	c.Wake()
	eventually(t, l, f, "a dead letter", has(domain.DeliveryDied))
	dead, err := l.Deliveries(t.Context(), f.Org, ledger.DeliveryFilter{Statuses: []string{"dead"}, Limit: 9})
	if err != nil || len(dead) != 1 || dead[0].LastError != "nobody lives there" {
		t.Fatal(dead, err)
	}
	if err := l.ResendDelivery(t.Context(), other.Org, dead[0].ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("another organisation's retry gave %v", err)
	}
	mended.Store(true)
	if err := l.ResendDelivery(t.Context(), f.Org, dead[0].ID); err != nil {
		t.Fatal(err)
	}
	c.Wake()
	eventually(t, l, f, "its arrival", has(domain.Delivered))
}

func TestParseSMTP(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"smtp://u%40x.org:p@mail.example:25":            "mail.example 25 u@x.org p false u@x.org",
		"smtps://mail.example?from=chat%40example.com":  "mail.example 465   true chat@example.com",
		"smtp://mail.example?from=Chat+%3Cc%40d.org%3E": "mail.example 587   false Chat <c@d.org>",
		"http://mail.example?from=a%40b.c":              "error",
		"smtp://mail.example":                           "error", // from nobody
		"smtp://:25?from=a%40b.c":                       "error",
		"smtp://mail.example:99999?from=a%40b.c":        "error",
	} {
		s, err := dispatch.ParseSMTP(raw)
		got := fmt.Sprint(s.Host, " ", s.Port, " ", s.User, " ", s.Password, " ", s.TLS, " ", s.From)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}
