package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// upload keeps a file of some bytes for a sender.
func upload(t testing.TB, l *ledger.Ledger, f ledgertest.Fixture, by ledger.Sender, size int) domain.Attachment {
	t.Helper()
	a, err := l.CreateUpload(t.Context(), uploadOf(f, by, size))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func uploadOf(f ledgertest.Fixture, by ledger.Sender, size int) ledger.Upload {
	u := ledger.Upload{OrgID: f.Org, Sender: by, Token: "token-" + string(ledger.NewID[domain.AttachmentID]()), Name: "a file.png", Mime: "image/png",
		Bytes: bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]}
	if by.SessionID != "" {
		u.ContactID = f.Contact
	}
	return u
}

func rowsOf(t testing.TB, l *ledger.Ledger, table string) (n int) {
	t.Helper()
	if err := l.NewRaw("SELECT count(*) FROM "+table).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMessagesTakeFiles(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f, rival := ledgertest.Seed(t, l), ledgertest.Seed(t, l)
	visitor, anna := ledger.Sender{SessionID: f.Session.ID}, ledger.Sender{UserID: f.User.ID}
	mine, hers, program := upload(t, l, f, visitor, 5), upload(t, l, f, anna, 6), upload(t, l, f, ledger.Sender{}, 7)
	foreign := upload(t, l, rival, ledger.Sender{SessionID: rival.Session.ID}, 5)
	elsewhere := upload(t, l, rival, ledger.Sender{}, 5)
	sent, spare := upload(t, l, f, visitor, 5), upload(t, l, f, visitor, 5)
	say := func(clientID string, ids ...domain.AttachmentID) ledger.Change {
		return ledger.Line{SessionID: f.Session.ID, ClientID: clientID, Attachments: ids}
	}
	reply := func(u domain.User, ids ...domain.AttachmentID) ledger.Change {
		return ledger.PersonReply{User: u, ClientID: "r", Content: "here", Attachments: ids}
	}
	tests := []struct {
		name   string
		change ledger.Change
		took   []domain.Attachment // nil: refused
	}{
		{"a visitor's", say("1", mine.ID, sent.ID), []domain.Attachment{mine, sent}},
		{"the same line again", say("1", mine.ID, sent.ID), []domain.Attachment{mine, sent}},
		{"used already", say("2", mine.ID), nil},
		{"one of two used already", say("2", spare.ID, sent.ID), nil},
		{"the same one twice", say("2", spare.ID, spare.ID), nil},
		{"nobody's", say("2", ledger.NewID[domain.AttachmentID]()), nil},
		{"a colleague's", say("2", hers.ID), nil},
		{"a program's", say("2", program.ID), nil},
		{"another organisation's", say("2", foreign.ID), nil},
		{"another session's", ledger.Line{SessionID: rival.Session.ID, ClientID: "2", Attachments: []domain.AttachmentID{spare.ID}}, nil},
		{"a visitor's, for the team", reply(f.User, spare.ID), nil},
		{"a person's, for a program", reply(domain.User{OrgID: f.Org}, hers.ID), nil},
		{"a program's of another organisation", reply(domain.User{OrgID: f.Org}, elsewhere.ID), nil},
		{"what was refused above is still there", say("2", spare.ID), []domain.Attachment{spare}},
		{"a person's", reply(f.User, hers.ID), []domain.Attachment{hers}},
		{"a program's own", reply(domain.User{OrgID: f.Org}, program.ID), []domain.Attachment{program}},
	}
	var want [][]domain.Attachment
	for _, tt := range tests {
		out, err := l.Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: tt.change})
		if tt.took == nil {
			if domain.CodeOf(err) != domain.CodeAttachmentRejected {
				t.Errorf("%s: %+v, %v", tt.name, out.Message, err)
			}
			continue
		}
		if err != nil || !slices.Equal(out.Message.Attachments, tt.took) {
			t.Errorf("%s: %+v, %v", tt.name, out.Message, err)
		} else if !out.Duplicate {
			want = append(want, tt.took)
		}
	}
	after, err := l.MessagesAfter(t.Context(), f.Org, f.Thread, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	before, err := l.MessagesBefore(t.Context(), f.Org, f.Thread, 100, 10)
	if err != nil {
		t.Fatal(err)
	}
	_, since, err := l.Since(t.Context(), f.Org, f.Thread, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for way, ms := range map[string][]domain.Message{"after": after, "before": before, "since": since} {
		if len(ms) != len(want) {
			t.Fatalf("%s: %d messages", way, len(ms))
		}
		for i, m := range ms {
			if !slices.Equal(m.Attachments, want[i]) {
				t.Errorf("%s: message %d has %+v", way, m.Seq, m.Attachments)
			}
		}
	}
}

// Of many messages that want the same file, on two nodes and in two threads, one gets it and no other is stored.
func TestOneMessageTakesAFile(t *testing.T) {
	t.Parallel()
	dsn := ledgertest.DSN(t)
	nodes := []*ledger.Ledger{ledgertest.Open(t, dsn), ledgertest.Open(t, dsn)}
	f := ledgertest.Seed(t, nodes[0])
	other := f.Session
	other.ContactID = ledger.NewID[domain.ContactID]()
	if _, err := nodes[0].NewRaw(`INSERT INTO contacts (id, org_id, stub) VALUES (?, ?, true)`, other.ContactID, f.Org).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := nodes[0].EnsureThread(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	threads := []domain.ThreadID{f.Thread, second.ID}
	for round := range 10 {
		file := upload(t, nodes[0], f, ledger.Sender{}, 5)
		var took, refused atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := nodes[i%2].Append(t.Context(), ledger.Append{OrgID: f.Org, ThreadID: threads[i/2%2],
					Change: ledger.PersonReply{User: domain.User{OrgID: f.Org}, ClientID: fmt.Sprint(round, i), Attachments: []domain.AttachmentID{file.ID}}})
				switch {
				case err == nil:
					took.Add(1)
				case domain.CodeOf(err) == domain.CodeAttachmentRejected:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took.Load() != 1 || refused.Load() != 7 {
			t.Fatalf("%d took it, %d were refused", took.Load(), refused.Load())
		}
	}
	if n := rowsOf(t, nodes[0], "messages"); n != 10 {
		t.Errorf("%d messages", n)
	}
}

func TestFileIsReadInParts(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	u := uploadOf(f, ledger.Sender{SessionID: f.Session.ID}, 1<<20+77)
	if _, err := l.CreateUpload(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	file, err := l.OpenFile(t.Context(), u.Token)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(file)
	if err != nil || !bytes.Equal(all, u.Bytes) {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	for _, at := range []int64{0, 1, 512<<10 - 1, 512 << 10, 1 << 20, 1<<20 + 76} {
		if _, err := file.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		some, err := io.ReadAll(io.LimitReader(file, 100))
		if err != nil || !bytes.Equal(some, u.Bytes[at:min(at+100, int64(len(u.Bytes)))]) {
			t.Errorf("at %d: %d bytes, %v", at, len(some), err)
		}
	}
	if _, err := l.OpenFile(t.Context(), "no such token"); domain.KindOf(err) != domain.NotFound {
		t.Errorf("a token nobody has: %v", err)
	}
}

func TestUploadsAreBounded(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	visitor := ledger.Sender{SessionID: f.Session.ID}
	var kept atomic.Int32
	var wg sync.WaitGroup
	for range 14 { // at once, so that they have to wait for each other to be counted
		wg.Go(func() {
			if _, err := l.CreateUpload(t.Context(), uploadOf(f, visitor, 10<<20)); err == nil {
				kept.Add(1)
			} else if domain.CodeOf(err) != domain.CodeDailyCap || domain.KindOf(err) != domain.Throttled {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if kept.Load() != 10 {
		t.Errorf("%d files of 10 MB in a day", kept.Load())
	}
	if _, err := l.NewRaw(`UPDATE attachments SET created_at = now() - interval '25 hours'`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	upload(t, l, f, visitor, 10<<20) // another day
	if _, err := l.NewRaw(`UPDATE attachments SET size = 1 << 30`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	ledgertest.Set(t, l, "sessions", f.Session.ID, "id", ledger.NewID[domain.SessionID]())
	if _, err := l.CreateUpload(t.Context(), uploadOf(f, ledger.Sender{SessionID: ledger.NewID[domain.SessionID]()}, 10)); domain.CodeOf(err) != domain.CodeRateLimited {
		t.Errorf("beyond what an organisation may have waiting: %v", err)
	}
}

func TestSweepForgetsWhatNoMessageTook(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t)
	f := ledgertest.Seed(t, l)
	by := ledger.Sender{SessionID: f.Session.ID}
	taken, old, young := upload(t, l, f, by, 5), upload(t, l, f, by, 5), upload(t, l, f, by, 5)
	mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.Line{SessionID: f.Session.ID, ClientID: "1", Attachments: []domain.AttachmentID{taken.ID}}})
	for _, a := range []domain.Attachment{taken, old} {
		if _, err := l.NewRaw(`UPDATE attachments SET created_at = now() - interval '25 hours' WHERE id = ?`, a.ID).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SweepUploads(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left []string
	if err := l.NewRaw(`SELECT attachment_id::text FROM attachment_bytes ORDER BY 1`).Scan(t.Context(), &left); err != nil {
		t.Fatal(err)
	}
	want := []string{string(taken.ID), string(young.ID)}
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("left %v, want %v", left, want)
	}
}

// Whoever is erased leaves no bytes behind; a widget that goes takes nothing from its conversations.
func TestFilesGoWithWhatTheyBelongTo(t *testing.T) {
	t.Parallel()
	for table, left := range map[string]int{"organisations": 0, "contacts": 0, "threads": 1, "widgets": 2} {
		l := ledgertest.New(t)
		f := ledgertest.Seed(t, l)
		by := ledger.Sender{SessionID: f.Session.ID}
		a := upload(t, l, f, by, 5)
		upload(t, l, f, by, 5) // still waits
		mustAppend(t, l, ledger.Append{OrgID: f.Org, ThreadID: f.Thread, Change: ledger.Line{SessionID: f.Session.ID, ClientID: "1", Attachments: []domain.AttachmentID{a.ID}}})
		id := map[string]string{"organisations": string(f.Org), "contacts": string(f.Contact), "threads": string(f.Thread), "widgets": string(f.Widget)}[table]
		if _, err := l.NewRaw("DELETE FROM "+table+" WHERE id = ?", id).Exec(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := rowsOf(t, l, "attachment_bytes"); n != left {
			t.Errorf("without its row in %s: %d files left, want %d", table, n, left)
		}
	}
}
