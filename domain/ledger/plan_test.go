package ledger_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// byOrganisation is an index of something that an organisation or a widget has many of, read for all of them.
var byOrganisation = regexp.MustCompile(`Index Cond: \((org_id|widget_id) = \S+\)$`)

// whole is a walk through all of a table that grows with every message, or with every visitor.
var whole = regexp.MustCompile(` Scan using (\S+_pkey|\S+_key|turns_\S+|dispatches_thread|chatwoot_reports_of|chatwoot_reports_next) on (turns|dispatches|threads|messages|events|sessions|contacts|chatwoot_reports)( \S+)?$`)

// TestPlansOfAnEmptyDatabaseLast looks at the plans that connections keep. They are made when the server is new and nothing is in its
// tables, where any index seems as good as another, and are kept until Postgres happens to look at the tables: by then one that reads
// all threads of an organisation to find one, or whatever was ever queued to find what is, has been slow for long.
func TestPlansOfAnEmptyDatabaseLast(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	ctx := t.Context()
	n := &nursery{free: 1}
	l.OnBirth(n.births())
	f, g := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	mustAppend(t, l, line(f, "1", "hello"))
	mustAppend(t, l, line(g, "1", "hello"))
	born := n.born[0]
	if err := l.PrepareBatches(ctx); err != nil {
		t.Fatal(err)
	}
	for name, use := range map[string]func() error{
		"claim":    func() error { _, err := l.Claim(ctx, 4, time.Minute, ledger.Pauses{}); return err },
		"next due": func() error { _, err := l.NextDue(ctx, ledger.Pauses{}); return err },
		"renew":    func() error { _, err := l.Renew(ctx, []ledger.TurnRef{born.TurnRef}, time.Minute); return err },
		"left":     func() error { _, err := l.Left(ctx, 10); return err },
		"search":   func() error { _, err := l.MakeSearchable(ctx, 10); return err },
		"waits":    func() error { _, _, _, err := l.DueWaits(ctx, 10); return err },
		"brief": func() error {
			_, err := l.Brief(ctx, ledger.Claim{TurnRef: born.TurnRef, OrgID: f.Org, ThreadID: f.Thread}, 50)
			return err
		},
		"standing": func() error { _, _, err := l.Since(ctx, f.Org, f.Thread, 0, 10); return err },
		"answer":   func() error { _, err := l.AnswerTo(ctx, f.Org, f.Thread, 1); return err },
		"history":  func() error { _, err := l.MessagesBefore(ctx, f.Org, f.Thread, 10, 10); return err },
		"widget":   func() error { _, err := l.WidgetByKey(ctx, f.Key); return err },
		"agent":    func() error { _, err := l.Agent(ctx, f.Org, f.Agent); return err },
		"token": func() error {
			_, err := l.SessionByToken(ctx, f.Widget, []byte(f.Session.ID))
			return err
		},
		"session": func() error { _, err := l.Session(ctx, f.Org, f.Session.ID); return err },
		"contact": func() error { _, err := l.Contact(ctx, f.Org, f.Contact); return err },
		"thread":  func() error { _, err := l.Thread(ctx, f.Org, f.Thread); return err },
		"resumed": func() error {
			_, err := l.ThreadByKey(ctx, f.Org, ledger.CorrelationKey(f.Contact, "webchat"))
			return err
		},
		"places":        func() error { _, err := l.ChatwootPlaces(ctx, ledger.NewID[domain.ChannelID](), "", "41"); return err },
		"places of any": func() error { _, err := l.ChatwootPlaces(ctx, "", "7", "41"); return err },
		"reports":       func() error { _, err := l.OldestChatwootReports(ctx, 0, 10); return err },
		"reports of one": func() error {
			_, err := l.ChatwootReportsOf(ctx, f.Org, ledger.NewID[domain.ChannelID](), "41", 10)
			return err
		},
		"receipts": func() error {
			return l.PutReceipts(ctx, []ledger.Receipt{{OrgID: f.Org, ThreadID: f.Thread, Transport: "websocket", From: 1, To: 1}})
		},
	} {
		if err := use(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TurnEnd{TurnRef: born.TurnRef, Said: &ledger.Said{N: 1, Content: "hi"}}})
	var plans map[string]string
	for end := time.Now().Add(20 * time.Second); len(plans) < 40; { // a connection may be in use for a moment more
		var err error
		if plans, err = l.Plans(ctx); err != nil || time.Now().After(end) {
			t.Fatalf("%d plans are kept, that cannot be all: %v", len(plans), err)
		}
	}
	for statement, plan := range plans {
		var before string
		for line := range strings.SplitSeq(plan+"\n", "\n") {
			cond := strings.Contains(line, "Index Cond: ")
			switch {
			case whole.MatchString(before) && !cond:
				t.Errorf("%s\n%s\nwalks through a whole table:\n%s", strings.TrimSpace(before), statement, plan)
			case byOrganisation.MatchString(line) && !strings.Contains(before, " on webhooks "), strings.Contains(line, "Seq Scan on "), strings.Contains(line, "Bitmap"):
				t.Errorf("%s\n%s\nkeeps the plan\n%s", strings.TrimSpace(line), statement, plan)
			}
			before = line
		}
	}
}
