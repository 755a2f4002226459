package ledger_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

const grown = ` on (turns|turn_steps|dispatches|threads|thread_grams|messages|events|sessions|contacts|deliveries|receipts|attachments|idempotent_answers)( \S+)?$`

var (
	seqScan  = regexp.MustCompile(`Seq Scan` + grown)
	wholeWay = regexp.MustCompile(` Scan( Backward)? using (\S+_pkey|\S+_key)` + grown) // an index of all rows, if no condition follows
)

// What is planned anew each time has a way that does not read a table which grows with every message, or with every visitor. The database is
// empty: of which way is taken once there is something in it, this says nothing, but that there is one.
func TestNothingHasToReadAWholeTable(t *testing.T) {
	t.Parallel()
	plain := ledgertest.New(t)
	l, seen := plain.Watched()
	f := ledgertest.Seed(t, plain)
	s := stranger(t, plain, f)
	mustAppend(t, plain, line(f, "1", "hello"))
	ctx, hook := t.Context(), ledger.NewID[domain.WebhookID]()
	list := func(f2 ledger.ConversationFilter) func() error {
		f2.Limit = 10
		return func() error { _, err := l.Conversations(ctx, f.Org, f2); return err }
	}
	contacts := func(f2 ledger.ContactFilter) func() error {
		f2.Limit = 10
		return func() error { _, err := l.Contacts(ctx, f.Org, f2); return err }
	}
	deliveries := func(f2 ledger.DeliveryFilter) func() error {
		f2.Limit = 10
		return func() error { _, err := l.Deliveries(ctx, f.Org, f2); return err }
	}
	if err := plain.SweepTurns(ctx); err != nil { // the first of a server looks at all there are
		t.Fatal(err)
	}
	for name, use := range map[string]func() error{
		"turns": func() error {
			if err := l.SweepTurns(ctx); err != nil {
				return err
			}
			seen()
			return l.SweepTurns(ctx)
		},
		"answers to requests": func() error { return l.SweepIdempotent(ctx) }, "uploads": func() error { return l.SweepUploads(ctx) },
		"replays": func() error { return l.SweepReplays(ctx) }, "deliveries": func() error { return l.SweepDeliveries(ctx) },
		"visits": func() error { return l.SweepVisits(ctx) }, "steps": func() error { _, err := l.SweepSteps(ctx, time.Now(), 10); return err },
		"unseen": func() error { _, err := l.Unseen(ctx, f.Org, 10); return err }, "tally": func() error { _, err := l.Tally(ctx, f.Org, f.User.ID); return err },
		"inbox": list(ledger.ConversationFilter{}), "search": list(ledger.ConversationFilter{Query: "hello there"}), "short search": list(ledger.ConversationFilter{Query: "he"}),
		"waiting": list(ledger.ConversationFilter{Waiting: true}), "mine": list(ledger.ConversationFilter{Assignee: f.User.ID}),
		"of a contact": list(ledger.ConversationFilter{Contact: f.Contact}), "next page": list(ledger.ConversationFilter{Before: time.Now(), BeforeID: f.Thread}),
		"contacts": contacts(ledger.ContactFilter{}), "contacts by query": contacts(ledger.ContactFilter{Query: "anna"}),
		"contacts by address": contacts(ledger.ContactFilter{Email: "a@b.example"}), "contacts by number": contacts(ledger.ContactFilter{Phone: "1"}),
		"contacts by id":    contacts(ledger.ContactFilter{ExternalID: "1"}),
		"deliveries of all": deliveries(ledger.DeliveryFilter{Ours: true}), "deliveries of a thread": deliveries(ledger.DeliveryFilter{Thread: f.Thread}),
		"webhook's log": func() error { _, err := l.WebhookDeliveries(ctx, f.Org, hook, nil, "", 10); return err },
		"dropped":       func() error { return l.DropDeliveries(ctx, f.Org, hook, "gone") },
		"channel":       func() error { _, err := l.RetryChannel(ctx, f.Org, "00000000-0000-4000-8000-000000000000"); return err },
		"echo":          func() error { _, err := l.Echo(ctx, f.Org, f.Thread, "1", "hello"); return err },
		"timeline":      func() error { _, err := l.Timeline(ctx, f.Org, f.Thread); return err },
		"uses":          func() error { _, err := l.AgentUses(ctx, f.Org); return err },
		"begun": func() error {
			_, err := l.BegunThreads(ctx, f.Org, f.Contact, domain.ChannelWebchat, ledger.BegunFilter{Query: "x", Limit: 10})
			return err
		},
		"page":  func() error { return l.SetPage(ctx, f.Org, f.Session.ID, domain.Page{URL: "https://shop.example/"}) },
		"about": func() error { return l.AboutThread(ctx, f.Org, s.ID, f.Thread) },
		"joined": func() error {
			a, b := stranger(t, l, f), stranger(t, l, f)
			for i, s := range []*domain.Session{&a, &b} {
				says(t, plain, *s, threadOf(t, l, *s).ID, fmt.Sprint(i))
				identify(t, l, s, "u1")
			}
			_, err := l.EraseContact(ctx, f.Org, a.ContactID)
			return err
		},
	} {
		seen()
		if err := use(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		statements := seen()
		if len(statements) == 0 {
			t.Errorf("%s: no statement was seen", name)
		}
		for _, sql := range statements {
			plan, err := plain.OnlyPlan(ctx, sql)
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, sql)
			}
			wantNoWhole(t, name, sql, plan)
		}
	}
	for sql, args := range ledger.Direct() {
		plan, err := plain.OnlyPlan(ctx, sql, args...)
		if err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
		wantNoWhole(t, "direct", sql, plan)
	}
}

func wantNoWhole(t *testing.T, name, sql, plan string) {
	t.Helper()
	lines := strings.Split(plan+"\n", "\n")
	for i, line := range lines[:len(lines)-1] {
		if seqScan.MatchString(line) || wholeWay.MatchString(line) && !strings.Contains(lines[i+1], "Index Cond: ") {
			t.Errorf("%s: %s\n%s\nreads a whole table:\n%s", name, strings.TrimSpace(line), sql, plan)
		}
	}
}
