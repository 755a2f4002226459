package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// kept is a report of a conversation of an organisation's Chatwoot.
func kept(f ledgertest.Fixture, channel domain.ChannelID, conversation, external string) ledger.ChatwootReport {
	return ledger.ChatwootReport{Event: ledger.NewID[domain.EventID](), Conversation: conversation, ExternalID: external, Line: []byte(external),
		Place: ledger.ChatwootPlace{Channel: domain.Channel{ID: channel, OrgID: f.Org, Name: "chatwoot"}}}
}

func externals(t *testing.T, rs []ledger.ChatwootReport, err error) (ids []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		if string(r.Line) != r.ExternalID {
			t.Errorf("%s says %q", r.ExternalID, r.Line)
		}
		ids = append(ids, r.ExternalID)
	}
	return ids
}

// Of reports that come at once, on two nodes, each is kept once, and not if it was recorded before.
func TestChatwootReportsAreKeptOnce(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	l, other := ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)
	one, two := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	channel := ledger.NewID[domain.ChannelID]()
	mustAppend(t, l, ledger.Append{OrgID: one.Org, ThreadID: one.Thread, Change: ledger.Inbound{Channel: "chatwoot", Kind: string(domain.MessageReceived), ExternalID: "7", Content: "hi"}})
	const messages = 20
	var mu sync.Mutex
	times := map[string]int{}
	var all sync.WaitGroup
	for i := range 8 * messages {
		all.Go(func() {
			node, f := []*ledger.Ledger{l, other}[i/messages%2], []ledgertest.Fixture{one, two}[i/messages/2%2]
			ok, err := node.KeepChatwootReport(t.Context(), kept(f, channel, "41", fmt.Sprint(i%messages)))
			if err != nil {
				t.Error(err)
			}
			if mu.Lock(); ok {
				times[fmt.Sprint(f.Org == one.Org, i%messages)]++
			}
			mu.Unlock()
		})
	}
	all.Wait()
	if n := times["true 7"]; n != 0 {
		t.Errorf("what was recorded before was kept %d times", n)
	}
	for who, n := range times {
		if n != 1 {
			t.Errorf("%s was kept %d times", who, n)
		}
	}
	if len(times) != 2*messages-1 {
		t.Errorf("%d of %d were kept", len(times), 2*messages-1)
	}
}

// What is kept comes in its order until it is recorded, or has been refused for too often, and is then out of the way.
func TestChatwootReportsInOrder(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	channel := ledger.NewID[domain.ChannelID]()
	ids := map[string]domain.EventID{}
	for i := range 6 {
		r := kept(f, channel, fmt.Sprint(41+i%2), fmt.Sprint(i))
		if ok, err := l.KeepChatwootReport(ctx, r); err != nil || !ok {
			t.Fatalf("%d: %t, %v", i, ok, err)
		}
		ids[r.ExternalID] = r.Event
	}
	oldest := func(limit int) []string {
		rs, err := l.OldestChatwootReports(ctx, 0, limit)
		return externals(t, rs, err)
	}
	of := func(conversation string) []string {
		rs, err := l.ChatwootReportsOf(ctx, f.Org, channel, conversation, 10)
		return externals(t, rs, err)
	}
	expect := func(when string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	expect("all", oldest(10), "0", "1", "2", "3", "4", "5")
	expect("some", oldest(2), "0", "1")
	expect("of one conversation", of("42"), "1", "3", "5")
	if err := l.ChatwootReportsRecorded(ctx, []domain.EventID{ids["0"], ids["3"]}, map[domain.EventID]error{ids["1"]: errors.New("no")}); err != nil {
		t.Fatal(err)
	}
	expect("after two are recorded and one was refused", oldest(10), "1", "2", "4", "5")
	if ok, err := l.KeepChatwootReport(ctx, kept(f, channel, "41", "0")); err != nil || ok {
		t.Errorf("one that was recorded is kept again: %t, %v", ok, err)
	}
	for range 10 {
		if err := l.ChatwootReportsRecorded(ctx, nil, map[domain.EventID]error{ids["1"]: errors.New("still no")}); err != nil {
			t.Fatal(err)
		}
	}
	expect("after one was refused too often", oldest(10), "2", "4", "5")
	expect("of its conversation", of("42"), "5")
	swept := func(age string, want int) {
		t.Helper()
		if _, err := l.NewRaw(`UPDATE chatwoot_reports SET taken_at = taken_at - ?0::interval, created_at = created_at - ?0::interval`, age).Exec(ctx); err != nil {
			t.Fatal(err)
		}
		if err := l.SweepChatwootReports(ctx); err != nil {
			t.Fatal(err)
		}
		var left int
		if err := l.NewRaw(`SELECT count(*) FROM chatwoot_reports`).Scan(ctx, &left); err != nil || left != want {
			t.Errorf("%s later %d are left (%v), want %d", age, left, err, want)
		}
	}
	var said int
	if err := l.NewRaw(`SELECT count(*) FROM chatwoot_reports WHERE taken_at IS NOT NULL AND line <> ''`).Scan(ctx, &said); err != nil || said > 0 {
		t.Errorf("%d that are recorded still say something, %v", said, err)
	}
	swept("1 second", 6)
	swept("2 minutes", 4)
	swept("31 days", 0)
}

// A report tells where its conversation's thread is.
func TestChatwootReportsKnowTheirThread(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), ledgertest.New(t)
	f, rival := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	channel := ledger.NewID[domain.ChannelID]()
	thread := func(org domain.OrgID, agent domain.AgentID) domain.ThreadID {
		id, err := l.ChatwootThread(ctx, ledger.ChannelThread{OrgID: org, Channel: "chatwoot", Key: domain.ChatwootKey(channel, "41"), AgentID: agent}, ledger.Identifiers{ExternalID: "9"})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	mine := thread(f.Org, f.Agent)
	thread(rival.Org, rival.Agent)
	for _, r := range []ledger.ChatwootReport{kept(f, channel, "41", "1"), kept(f, channel, "42", "2")} {
		if ok, err := l.KeepChatwootReport(ctx, r); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	rs, err := l.OldestChatwootReports(ctx, 0, 10)
	if err != nil || len(rs) != 2 {
		t.Fatal(rs, err)
	}
	if p := rs[0].Place; p.ThreadID != mine || p.AgentID != f.Agent || p.ContactID == "" || p.OrgID != f.Org || p.ID != channel || p.Name != "chatwoot" {
		t.Errorf("%+v", p)
	}
	if p := rs[1].Place; p.ThreadID != "" || p.ContactID != "" {
		t.Errorf("of a conversation without a thread: %+v", p)
	}
}

// With a contact goes what is kept of their conversations: recorded afterwards, it would be a new contact's.
func TestChatwootReportsOfTheErased(t *testing.T) {
	t.Parallel()
	ctx, l := t.Context(), ledgertest.New(t)
	f, rival := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	channel := ledger.NewID[domain.ChannelID]()
	begin := func(conversation, contact string) domain.ThreadID {
		id, err := l.ChatwootThread(ctx, ledger.ChannelThread{OrgID: f.Org, Channel: "chatwoot", Key: domain.ChatwootKey(channel, conversation), AgentID: f.Agent},
			ledger.Identifiers{ExternalID: contact})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	begin("42", "8")
	var contact domain.ContactID
	if err := l.NewRaw(`SELECT contact_id FROM threads WHERE id = ?`, begin("41", "9")).Scan(ctx, &contact); err != nil {
		t.Fatal(err)
	}
	for _, r := range []ledger.ChatwootReport{kept(f, channel, "41", "1"), kept(f, channel, "42", "2"), kept(rival, channel, "41", "3")} {
		if ok, err := l.KeepChatwootReport(ctx, r); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	if _, err := l.EraseContact(ctx, f.Org, contact); err != nil {
		t.Fatal(err)
	}
	rs, err := l.OldestChatwootReports(ctx, 0, 10)
	if left := externals(t, rs, err); !slices.Equal(left, []string{"2", "3"}) {
		t.Errorf("%q are left", left)
	}
}
