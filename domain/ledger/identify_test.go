package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// stranger is a new anonymous visitor of the fixture's widget.
func stranger(t *testing.T, l *ledger.Ledger, f ledgertest.Fixture) domain.Session {
	t.Helper()
	now := time.Now()
	c := domain.Contact{ID: ledger.NewID[domain.ContactID](), OrgID: f.Org, Stub: true, Profile: []byte("{}"), CreatedAt: now, UpdatedAt: now}
	s := domain.Session{ID: ledger.NewID[domain.SessionID](), OrgID: f.Org, WidgetID: f.Widget, ContactID: c.ID, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := l.CreateSession(t.Context(), s, []byte(s.ID), c); err != nil {
		t.Fatal(err)
	}
	return s
}

func says(t *testing.T, l *ledger.Ledger, s domain.Session, thread domain.ThreadID, client string) ledger.Outcome {
	t.Helper()
	out, err := l.Append(t.Context(), ledger.Append{OrgID: s.OrgID, ThreadID: thread, Change: ledger.Line{SessionID: s.ID, ClientID: client, Content: client}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func threadOf(t *testing.T, l *ledger.Ledger, s domain.Session) domain.Thread {
	t.Helper()
	th, err := l.EnsureThread(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func identify(t *testing.T, l *ledger.Ledger, s *domain.Session, external string) domain.Contact {
	t.Helper()
	c, err := l.Identify(t.Context(), s.OrgID, s.ID, ledger.Identity{ExternalID: external, Name: "Mia"})
	if err != nil {
		t.Fatal(err)
	}
	s.ContactID = c.ID
	return c
}

// TestIdentifyJoinsThreads tries every mix of who has said something before the proof comes: one thread remains, with all lines,
// seqs without a hole, what was there first unchanged, and what is sent again still known.
func TestIdentifyJoinsThreads(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	for known := range 3 {
		for stub := range 3 {
			t.Run(fmt.Sprintf("known %d, stub %d", known, stub), func(t *testing.T) {
				f := ledgertest.Seed(t, l)
				a, b := stranger(t, l, f), stranger(t, l, f)
				first := threadOf(t, l, a)
				for i := range known {
					says(t, l, a, first.ID, fmt.Sprint("known", i))
				}
				person := identify(t, l, &a, "u1")
				second := threadOf(t, l, b)
				sent := make([]domain.Message, stub)
				for i := range stub {
					sent[i] = *says(t, l, b, second.ID, fmt.Sprint("stub", i)).Message
				}
				before, _ := l.MessagesAfter(t.Context(), f.Org, first.ID, 0, 100)

				if c := identify(t, l, &b, "u1"); c.ID != person.ID {
					t.Fatalf("identified as %s, not %s", c.ID, person.ID)
				}
				if _, err := l.Contact(t.Context(), f.Org, second.ContactID); domain.KindOf(err) != domain.NotFound {
					t.Errorf("the stub is still there: %v", err)
				}
				one := threadOf(t, l, b)
				want := first.ID
				if known == 0 && stub > 0 {
					want = second.ID // its lines stay where they are
				}
				if one.ID != want || threadOf(t, l, a).ID != one.ID {
					t.Fatalf("the thread is %s, want %s", one.ID, want)
				}
				ms, err := l.MessagesAfter(t.Context(), f.Org, one.ID, 0, 100)
				if err != nil || len(ms) != known+stub || one.LastSeq != int64(known+stub) {
					t.Fatalf("%d lines, last seq %d: %v", len(ms), one.LastSeq, err)
				}
				for i, m := range ms {
					if m.Seq != int64(i+1) {
						t.Errorf("line %d has seq %d", i+1, m.Seq)
					}
					if i < len(before) && m.ID != before[i].ID {
						t.Errorf("the known contact's line %d is another now", i+1)
					}
				}
				for i, m := range sent {
					again := says(t, l, b, one.ID, m.ClientID)
					if !again.Duplicate || again.Message.ID != m.ID || again.Message.Seq != int64(known+i+1) || !again.Message.CreatedAt.Equal(m.CreatedAt) {
						t.Errorf("%s again: duplicate %v, seq %d", m.ClientID, again.Duplicate, again.Message.Seq)
					}
				}
				if out := says(t, l, b, one.ID, "next"); out.Message.Seq != int64(known+stub+1) {
					t.Errorf("the next line has seq %d", out.Message.Seq)
				}
				gone := second.ID
				if one.ID == second.ID {
					gone = first.ID
				}
				_, err = l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: gone, Change: ledger.Line{SessionID: b.ID, ClientID: "x", Content: "x"}})
				if !errors.Is(err, ledger.ErrJoined) {
					t.Errorf("the other thread takes lines: %v", err)
				}
				if st, _, err := l.Since(t.Context(), f.Org, gone, 0, 10); err != nil || st.MergedInto != one.ID || st.LastSeq != 0 {
					t.Errorf("the other thread points to %q at %d: %v", st.MergedInto, st.LastSeq, err)
				}
				if cs, err := l.Conversations(t.Context(), f.Org, ledger.ConversationFilter{Limit: 10}); err != nil || len(cs) != 1 {
					t.Errorf("%d conversations in the inbox: %v", len(cs), err)
				}
			})
		}
	}
}

// TestIdentifyWhileTalking lets two tabs identify and write at once, over and over: no line is lost, doubled or out of its thread.
func TestIdentifyWhileTalking(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	for round := range 8 {
		external := fmt.Sprint("u", round)
		tabs := []domain.Session{stranger(t, l, f), stranger(t, l, f), stranger(t, l, f)}
		tabs = append(tabs, tabs[2]) // two tabs of one browser
		var all sync.WaitGroup
		for i, s := range tabs {
			all.Go(func() {
				for n := range 6 {
					if n == 3 {
						if _, err := l.Identify(context.Background(), f.Org, s.ID, ledger.Identity{ExternalID: external}); err != nil {
							t.Errorf("tab %d: %v", i, err)
						}
					}
					talk(t, l, s, fmt.Sprint(i, "-", n))
				}
			})
		}
		all.Wait()
		s, err := l.Session(t.Context(), f.Org, tabs[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		ms, err := l.MessagesAfter(t.Context(), f.Org, threadOf(t, l, s).ID, 0, 1000)
		if err != nil || len(ms) != len(tabs)*6 {
			t.Fatalf("round %d: %d lines in the one thread: %v", round, len(ms), err)
		}
		var said []string
		for i, m := range ms {
			if m.Seq != int64(i+1) {
				t.Fatalf("round %d: seq %d at place %d", round, m.Seq, i+1)
			}
			said = append(said, m.Content)
		}
		slices.Sort(said)
		if len(slices.Compact(said)) != len(tabs)*6 {
			t.Fatalf("round %d: lines are doubled", round)
		}
	}
}

// talk says a line in whatever thread is the session's by then, twice, as a client whose acknowledgement was lost.
func talk(t *testing.T, l *ledger.Ledger, s domain.Session, line string) {
	ctx := context.Background()
	for twice := 0; twice < 2; {
		now, err := l.Session(ctx, s.OrgID, s.ID)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			return
		}
		th, err := l.EnsureThread(ctx, now)
		if err == nil {
			_, err = l.Append(ctx, ledger.Append{OrgID: s.OrgID, ThreadID: th.ID, Change: ledger.Line{SessionID: s.ID, ClientID: line, Content: line}})
		}
		switch {
		case err == nil:
			twice++
		case !errors.Is(err, ledger.ErrJoined) && domain.KindOf(err) != domain.Unavailable:
			t.Errorf("%s: %v", line, err)
			return
		}
	}
}

// TestIdentifyCarriesWhatIsOwed moves an open dispatch along, in whatever state, and never leaves two.
func TestIdentifyCarriesWhatIsOwed(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	a, b := stranger(t, l, f), stranger(t, l, f)
	first := threadOf(t, l, a)
	says(t, l, a, first.ID, "a1")
	identify(t, l, &a, "u1")
	second := threadOf(t, l, b)
	says(t, l, b, second.ID, "b1")
	claims, err := l.Claim(t.Context(), 2, time.Minute, ledger.Pauses{})
	if err != nil || len(claims) != 2 {
		t.Fatalf("%d claims: %v", len(claims), err)
	}
	says(t, l, b, second.ID, "b2")
	identify(t, l, &b, "u1")
	var open []domain.Dispatch
	if err := l.NewSelect().Model(&open).Where("thread_id IN (?, ?) AND status IN ('queued','running')", first.ID, second.ID).Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(open) != 1 || open[0].ThreadID != first.ID || open[0].FromSeq != 1 || open[0].ToSeq != 3 {
		t.Fatalf("open: %+v", open)
	}
	for _, c := range claims {
		end := ledger.TurnEnd{TurnRef: c.TurnRef, Said: &ledger.Said{N: 1, Content: "hello"}}
		_, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: c.ThreadID, Change: end})
		if late := c.ThreadID == second.ID; late != errors.Is(err, ledger.ErrJoined) || !late && err != nil {
			t.Errorf("the end of the turn in %s: %v", c.ThreadID, err)
		}
	}
	// The known contact's turn answered its line; the stub's two are still owed one.
	again, err := l.Claim(t.Context(), 2, time.Minute, ledger.Pauses{})
	if err != nil || len(again) != 1 || again[0].ThreadID != first.ID || again[0].ToSeq != 3 {
		t.Fatalf("claimed after: %+v %v", again, err)
	}
}

// TestIdentifyKeepsAPersonsThread: whoever has the stub's conversation has the joined one, and no agent is asked.
func TestIdentifyKeepsAPersonsThread(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	a, b := stranger(t, l, f), stranger(t, l, f)
	says(t, l, a, threadOf(t, l, a).ID, "a1")
	identify(t, l, &a, "u1")
	second := threadOf(t, l, b)
	says(t, l, b, second.ID, "b1")
	if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: second.ID, Change: ledger.TakeOver{User: f.User}}); err != nil {
		t.Fatal(err)
	}
	identify(t, l, &b, "u1")
	one := threadOf(t, l, b)
	if one.Handling != domain.HandlingHuman || one.AssigneeID != f.User.ID || one.Epoch < 2 {
		t.Errorf("handled by %s, assignee %q, epoch %d", one.Handling, one.AssigneeID, one.Epoch)
	}
	if claims, err := l.Claim(t.Context(), 9, time.Minute, ledger.Pauses{}); err != nil || len(claims) != 0 {
		t.Errorf("an agent is asked: %+v %v", claims, err)
	}
}

// TestIdentifyLetsNobodyElseIn ends another session of the stub, which has proven nothing, and leaves those of other people.
func TestIdentifyLetsNobodyElseIn(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	a, b := stranger(t, l, f), stranger(t, l, f)
	identify(t, l, &a, "u1")
	other := b
	other.ID = ledger.NewID[domain.SessionID]()
	if err := l.CreateSession(t.Context(), other, []byte(other.ID), domain.Contact{ID: b.ContactID, OrgID: f.Org, Profile: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	identify(t, l, &b, "u1")
	if _, err := l.Session(t.Context(), f.Org, other.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("a session without a proof came along: %v", err)
	}
	two := identify(t, l, &b, "u2") // somebody else signs in at the same browser
	if one := identify(t, l, &a, "u1"); one.ID == two.ID {
		t.Error("two people are one contact")
	}
}

// What was delivered in either thread stays on record under the seqs that the lines have now.
func TestIdentifyKeepsReceipts(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	a, b := stranger(t, l, f), stranger(t, l, f)
	known, stub := threadOf(t, l, a), threadOf(t, l, b)
	var receipts []ledger.Receipt
	for _, th := range []struct {
		domain.Session
		domain.ThreadID
	}{{a, known.ID}, {b, stub.ID}} {
		says(t, l, th.Session, th.ThreadID, "hello")
		receipts = append(receipts, ledger.Receipt{OrgID: f.Org, ThreadID: th.ThreadID, Transport: "websocket", From: 1, To: 1})
	}
	if err := l.PutReceipts(t.Context(), receipts); err != nil {
		t.Fatal(err)
	}
	identify(t, l, &a, "u1")
	identify(t, l, &b, "u1")
	var seqs []int64
	if err := l.NewRaw(`SELECT to_seq FROM receipts WHERE thread_id = ? AND from_seq = to_seq ORDER BY to_seq`, known.ID).Scan(t.Context(), &seqs); err != nil || !slices.Equal(seqs, []int64{1, 2}) {
		t.Errorf("receipts of lines %v, %v", seqs, err)
	}
}

// Whoever waits for a person waits on when they say who they are, in the one thread that is left.
func TestIdentifyKeepsWaiting(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	a, b := stranger(t, l, f), stranger(t, l, f)
	known, stub := threadOf(t, l, a), threadOf(t, l, b)
	says(t, l, a, known.ID, "hello")
	says(t, l, b, stub.ID, "hello")
	if _, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: stub.ID, Change: ledger.AskForPerson{}}); err != nil {
		t.Fatal(err)
	}
	ledgertest.Set(t, l, "threads", stub.ID, "wait_due", time.Now().Add(-time.Second))
	identify(t, l, &a, "u1")
	identify(t, l, &b, "u1")
	due, _, _, err := l.DueWaits(t.Context(), 10)
	if err != nil || len(due) != 1 || due[0].ThreadID != known.ID {
		t.Fatalf("somebody waits in %+v, not in %s, %v", due, known.ID, err)
	}
	if out, err := l.Append(t.Context(), due[0]); err != nil || out.Message == nil {
		t.Errorf("nobody was told what happens next: %+v, %v", out, err)
	}
}

// What a contact says of themselves, to a form or to a model, does not take the place of what a site has vouched for.
func TestOwnWordOverwritesNoProof(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	s := stranger(t, l, f)
	tell := func(name, email string) domain.Contact {
		if err := l.SetContactDetails(t.Context(), f.Org, s.ContactID, name, email, ""); err != nil {
			t.Fatal(err)
		}
		c, err := l.Contact(t.Context(), f.Org, s.ContactID)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	tell("Eve", "")
	if c := tell("Mallory", ""); c.Name != "Mallory" {
		t.Errorf("an anonymous contact is %q", c.Name)
	}
	identify(t, l, &s, "u1")
	if c := tell("Mallory", "mallory@example.com"); c.Name != "Mia" || c.Email != "mallory@example.com" {
		t.Errorf("a known contact is %q with %q", c.Name, c.Email)
	}
}
