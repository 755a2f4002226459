package ledger_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

func line(f ledgertest.Fixture, clientID, content string) ledger.Append {
	return ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.Line{SessionID: f.Session.ID, ClientID: clientID, Content: content}}
}

func mustAppend(t testing.TB, l *ledger.Ledger, a ledger.Append) ledger.Outcome {
	t.Helper()
	out, err := l.Append(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAppendNumbersLinesWithoutHoleUnderConcurrency(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	nodes := []*ledger.Ledger{ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)}
	f := ledgertest.Seed(t, nodes[0])
	const lines = 400
	var wg sync.WaitGroup
	for i := range lines {
		wg.Go(func() {
			out, err := nodes[i%2].Append(t.Context(), line(f, fmt.Sprint(i/2), "hello")) // every line comes twice, on two nodes
			if err != nil {
				t.Error(err)
			} else if out.Message == nil || out.Message.Seq == 0 {
				t.Error("no message")
			}
		})
	}
	wg.Wait()
	ms, err := nodes[0].MessagesAfter(t.Context(), f.Org, f.Thread, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(ms) != lines/2 {
		t.Fatalf("%d messages, want %d", len(ms), lines/2)
	}
	seen := map[string]bool{}
	for i, m := range ms {
		if m.Seq != int64(i+1) {
			t.Fatalf("message %d has seq %d", i, m.Seq)
		}
		if seen[m.ClientID] {
			t.Fatalf("client id %s twice", m.ClientID)
		}
		seen[m.ClientID] = true
	}
}

// G1: what is acknowledged is on disk, whatever the server or the database is set to.
func TestAppendsAreCommittedForGood(t *testing.T) {
	t.Parallel()
	l := ledgertest.Open(t, ledgertest.DSN(t)+"&synchronous_commit=off")
	if got, err := l.WriterSetting(t.Context(), "synchronous_commit"); err != nil || got != "on" {
		t.Errorf("synchronous_commit is %q, %v", got, err)
	}
}

func TestAppendFailsAlone(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	other := ledgertest.Seed(t, l)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			a := line(f, fmt.Sprint(i), "hello")
			want := ""
			switch i % 3 {
			case 1: // refused by Postgres only: the whole batch fails and must be tried one by one
				a.Change = ledger.Line{SessionID: "not a uuid", ClientID: fmt.Sprint(i), Content: "poison"}
				want = "internal"
			case 2: // another organisation's thread
				a.OrgID = other.Org
				want = "not found"
			}
			_, err := l.Append(t.Context(), a)
			got := map[bool]string{true: ""}[err == nil]
			if err != nil {
				got = map[domain.Kind]string{domain.Internal: "internal", domain.NotFound: "not found"}[domain.KindOf(err)]
			}
			if got != want {
				t.Errorf("append %d: %v, want %q", i, err, want)
			}
		})
	}
	wg.Wait()
	th, err := l.Thread(t.Context(), f.Org, f.Thread)
	if err != nil || th.LastSeq != 17 {
		t.Fatalf("last seq %d, %v; want 17 good lines", th.LastSeq, err)
	}
}

// Whoever waits for a line's thread and holds what the line waits for makes one of the two give way. The line begins again.
func TestAppendOutlastsADeadlock(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	mustAppend(t, l, line(f, "1", "hello"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	other, err := l.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	for _, sql := range []string{`SET LOCAL deadlock_timeout = '1h'`, `LOCK TABLE messages IN SHARE MODE`} { // so that it is the line which gives way
		if _, err := other.ExecContext(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	appended := make(chan error, 1)
	go func() {
		_, err := l.Append(ctx, line(f, "2", "again"))
		appended <- err
	}()
	for waits := false; !waits; { // it holds its thread now
		if err := l.NewRaw(`SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'messages'::regclass)`).Scan(ctx, &waits); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := other.ExecContext(ctx, `SELECT FROM threads WHERE id = ? FOR UPDATE`, f.Thread); err != nil {
		t.Fatalf("the other one had to give way: %v", err)
	}
	if err := other.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-appended; err != nil {
		t.Fatalf("the line was refused: %v", err)
	}
	if th, err := l.Thread(ctx, f.Org, f.Thread); err != nil || th.LastSeq != 2 {
		t.Fatalf("last seq %d, %v", th.LastSeq, err)
	}
}

func TestAppendKeepsWhatPostgresCannotHoldOut(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	out := mustAppend(t, l, line(f, "a\x00b", "nul \x00 and bad \xff byte"))
	if got := out.Message.Content; got != "nul  and bad \uFFFD byte" {
		t.Fatalf("%q", got)
	}
	mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.TeamNote{User: f.User, Content: "back\\slash \x00 and \\u0000"}})
	items, err := l.Timeline(t.Context(), f.Org, f.Thread)
	if err != nil || len(items) == 0 {
		t.Fatal(items, err)
	}
}

// Changes that are appended in order end with the first that is refused; what was to come after it is not recorded.
func TestAppendInOrder(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	said := func(id string) ledger.Change {
		return ledger.Inbound{Channel: "sms", Kind: string(domain.MessageReceived), ExternalID: id, Content: id}
	}
	anna := domain.User{OrgID: f.Org, ID: ledger.NewID[domain.UserID](), Name: "Anna"}
	refused := ledger.Proactive{User: anna, ClientID: "1", Content: "hi"} // once its contact does not want to be written to
	if _, err := l.NewRaw(`UPDATE contacts SET opted_out = true WHERE id = ?`, f.Contact).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	outs, err := l.AppendInOrder(t.Context(), f.Org, f.Thread, []ledger.Change{said("1"), said("2"), refused, said("3")})
	if domain.KindOf(err) != domain.Conflict || len(outs) != 2 || outs[0].Message.Seq+1 != outs[1].Message.Seq {
		t.Errorf("%+v, %v", outs, err)
	}
	outs, err = l.AppendInOrder(t.Context(), f.Org, f.Thread, []ledger.Change{said("2"), said("3"), said("4")})
	if err != nil || len(outs) != 3 || !outs[0].Duplicate || outs[1].Duplicate || outs[1].Message.Seq+1 != outs[2].Message.Seq {
		t.Errorf("%+v, %v", outs, err)
	}
	_, ms, err := l.Since(t.Context(), f.Org, f.Thread, 0, 100)
	var words []string
	for _, m := range ms {
		words = append(words, m.Content)
	}
	if got := strings.Join(words, " "); err != nil || got != "1 2 3 4" {
		t.Errorf("%s, %v", got, err)
	}
	if outs, err := l.AppendInOrder(t.Context(), f.Org, f.Thread, nil); err != nil || len(outs) > 0 {
		t.Errorf("of nothing: %+v, %v", outs, err)
	}
}
