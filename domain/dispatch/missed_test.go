package dispatch_test

import (
	"context"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"time"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// away is a visitor who has left an address and gone, with a team that answers and a mailbox.
type away struct {
	t       *testing.T
	l       *ledger.Ledger
	f       ledgertest.Fixture
	box     *mailbox
	courier *dispatch.Courier
}

func leave(t *testing.T) *away {
	t.Helper()
	l := ledgertest.New(t)
	a := &away{t: t, l: l, f: ledgertest.Seed(t, l), box: openMailbox(t)}
	l.Mails()
	a.courier = startCourier(t, l, map[string]dispatch.Transport{"mail": &dispatch.Mail{SMTP: a.box.smtp, PublicURL: "https://chat.example", Ledger: l}})
	ledgertest.Set(t, l, "agents", a.f.Agent, "enabled", false)
	ledgertest.Set(t, l, "widgets", a.f.Widget, "allowed_origins", "{https://shop.example,*}")
	ledgertest.Set(t, l, "sessions", a.f.Session.ID, "locale", "de-AT")
	a.page("https://shop.example/cart")
	if err := l.SetContactDetails(t.Context(), a.f.Org, a.f.Contact, "", "grace@example.com", ""); err != nil {
		t.Fatal(err)
	}
	say(t, l, a.f, "1")
	return a
}

func (a *away) page(url string) {
	a.t.Helper()
	if err := a.l.SetPage(a.t.Context(), a.f.Org, a.f.Session.ID, domain.Page{URL: url}); err != nil {
		a.t.Fatal(err)
	}
}

func (a *away) append(c ledger.Change) {
	a.t.Helper()
	if _, err := a.l.Append(a.t.Context(), ledger.Append{OrgID: a.f.Org, ThreadID: a.f.Thread, Change: c}); err != nil {
		a.t.Fatal(err)
	}
}

func (a *away) answer(content string) { a.append(ledger.PersonReply{User: a.f.User, Content: content}) }

// waiting is how many mails wait for their time.
func (a *away) waiting() (n int) {
	a.t.Helper()
	if err := a.l.NewRaw(`SELECT count(*) FROM deliveries WHERE thread_id = ? AND transport = 'mail' AND status IN ('queued', 'running')`, a.f.Thread).Scan(a.t.Context(), &n); err != nil {
		a.t.Fatal(err)
	}
	return n
}

// later lets the time pass that a visitor has, and waits until nothing is left to be mailed.
func (a *away) later() []string {
	a.t.Helper()
	if _, err := a.l.NewRaw(`UPDATE deliveries SET due_at = now() WHERE thread_id = ? AND status = 'queued'`, a.f.Thread).Exec(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	a.courier.Wake()
	until(a.t, "no mail that waits", func() bool { return a.waiting() == 0 })
	var mails []string
	for _, m := range a.box.All() {
		plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(m)))
		if err != nil {
			a.t.Fatal(err)
		}
		mails = append(mails, string(plain))
	}
	return mails
}

func (a *away) mailed(mails []string, n int, has, hasNot []string) {
	a.t.Helper()
	if len(mails) != n {
		a.t.Fatalf("%d mails, want %d: %q", len(mails), n, mails)
	}
	for _, want := range has {
		if !strings.Contains(mails[n-1], want) {
			a.t.Errorf("the mail lacks %q:\n%s", want, mails[n-1])
		}
	}
	for _, not := range hasNot {
		if strings.Contains(mails[n-1], not) {
			a.t.Errorf("the mail has %q:\n%s", not, mails[n-1])
		}
	}
}

// What a visitor does not read in the chat is mailed to them: all of it in one mail, in their language, and nothing twice.
func TestMissedRepliesAreMailed(t *testing.T) {
	t.Parallel()
	a := leave(t)
	a.answer("first answer")
	a.answer("second answer")
	a.append(ledger.TeamNote{User: a.f.User, Content: "between us"})
	if a.waiting() != 1 || len(a.box.All()) > 0 {
		t.Fatalf("%d mails wait, %q were sent at once", a.waiting(), a.box.All())
	}
	a.mailed(a.later(), 1, []string{"To: <grace@example.com>", "Subject: Neue Antwort von Shop", "first answer", "second answer", "Anna", "https://shop.example/cart", "Im Chat antworten"},
		[]string{"between us", "line 1"})
	a.answer("third answer")
	a.mailed(a.later(), 2, []string{"third answer"}, []string{"second answer"})
}

// What they have read, or answered, is not, and leaves no trace.
func TestReadRepliesAreNotMailed(t *testing.T) {
	t.Parallel()
	for name, returns := range map[string]func(a *away){
		"reads":   func(a *away) { a.append(ledger.Seen{Seq: 2}) },
		"answers": func(a *away) { say(t, a.l, a.f, "2") },
		"comes by a client that does not tell what was read": func(a *away) { ledgertest.Set(t, a.l, "sessions", a.f.Session.ID, "page", "{}") },
		"opts out":  func(a *away) { ledgertest.Set(t, a.l, "contacts", a.f.Contact, "opted_out", true) },
		"has moved": func(a *away) { ledgertest.Set(t, a.l, "contacts", a.f.Contact, "email", "grace@elsewhere.example") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := leave(t)
			a.answer("an answer")
			returns(a)
			if mails := a.later(); len(mails) > 0 {
				t.Errorf("mailed %q", mails)
			}
			var left int
			if err := a.l.NewRaw(`SELECT count(*) FROM deliveries WHERE thread_id = ?`, a.f.Thread).Scan(t.Context(), &left); err != nil || left > 0 {
				t.Errorf("%d deliveries are left, %v", left, err)
			}
		})
	}
}

// Visitors say where they are and whose address theirs is, so only pages of sites that the widget names are linked.
func TestMissedRepliesLinkOnlyToSitesThatAreNamed(t *testing.T) {
	t.Parallel()
	for page, linked := range map[string]bool{
		"https://shop.example/a?b=c": true, "https://shop.example.evil.example/": false, "https://evil.example/": false,
		"javascript:alert(1)//https://shop.example": false, "https://shop.example@evil.example/": false,
	} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			a := leave(t)
			a.page(page)
			a.answer("an <b>answer</b>")
			has, hasNot := []string{"&lt;b&gt;answer", "auf der Seite"}, []string{"<a href"}
			if linked {
				has, hasNot = []string{"&lt;b&gt;answer", page}, []string{"auf der Seite"}
			}
			a.mailed(a.later(), 1, has, hasNot)
		})
	}
}

// Without an address, or without a way to send mail, nothing is written down.
func TestNobodyToMail(t *testing.T) {
	t.Parallel()
	a := leave(t)
	ledgertest.Set(t, a.l, "contacts", a.f.Contact, "email", "")
	a.answer("an answer")
	if a.waiting() > 0 {
		t.Error("a mail waits that has no address")
	}
	l := ledgertest.New(t)
	b := &away{t: t, l: l, f: ledgertest.Seed(t, l)}
	if err := l.SetContactDetails(t.Context(), b.f.Org, b.f.Contact, "", "grace@example.com", ""); err != nil {
		t.Fatal(err)
	}
	b.answer("an answer")
	if b.waiting() > 0 {
		t.Error("a mail waits that nobody can send")
	}
}

// A reply that comes while a mail is being written stands in it, or in the next.
func TestReplyWhileAMailIsWritten(t *testing.T) {
	t.Parallel()
	a := leave(t)
	a.answer("an answer")
	err := a.l.InTx(t.Context(), func(tx *ledger.Ledger) error { // as an append that has found a mail waiting, and has not committed
		if _, err := tx.NewRaw(`SELECT FROM threads WHERE id = ? FOR NO KEY UPDATE`, a.f.Thread).Exec(t.Context()); err != nil {
			return err
		}
		if _, err := a.l.NewRaw(`UPDATE deliveries SET due_at = now() WHERE thread_id = ?`, a.f.Thread).Exec(t.Context()); err != nil {
			return err
		}
		a.courier.Wake()
		until(t, "a mail that is being written", func() bool {
			var waits bool
			err := a.l.NewRaw(`SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(context.Background(), &waits)
			return err == nil && waits
		})
		_, err := tx.NewRaw(`INSERT INTO messages (id, org_id, thread_id, seq, direction, author_kind, author_name, content, content_type, created_at)
VALUES (?, ?, ?, 3, 'outbound', 'human', 'Anna', 'a late answer', 'text', ?)`, ledger.NewID[domain.MessageID](), a.f.Org, a.f.Thread, time.Now()).Exec(t.Context())
		if err == nil {
			_, err = tx.NewRaw(`UPDATE threads SET last_seq = 3 WHERE id = ?`, a.f.Thread).Exec(t.Context())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	a.mailed(a.later(), 1, []string{"an answer", "a late answer"}, nil)
}

// A transcript is what was said, by whom and when, in the contact's language and time, without what the team said among themselves.
func TestTranscriptIsMailed(t *testing.T) {
	t.Parallel()
	a := leave(t)
	ledgertest.Set(t, a.l, "sessions", a.f.Session.ID, "timezone", "Asia/Tokyo")
	a.answer("an <b>answer</b>")
	a.append(ledger.TeamNote{User: a.f.User, Content: "between us"})
	if a.waiting() != 1 {
		t.Fatal("the answer waits for nobody")
	}
	for range 2 { // asked for twice before it is sent, perhaps
		if err := a.l.MailTranscript(t.Context(), a.f.Org, a.f.Thread); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "a mail", func() bool { return len(a.box.All()) > 0 })
	mails := a.later()
	if len(mails) > 2 {
		t.Fatalf("%d mails", len(mails))
	}
	a.mailed(mails, len(mails), []string{"To: <grace@example.com>", "Shop", "Das ist Ihr", "Sie (", "JST):", "line 1", "Anna (", "an <b>answer</b>", "an &lt;b&gt;answer"}, []string{"between us"})
	a.answer("news")
	if more := a.later(); len(more) != len(mails)+1 || strings.Contains(more[len(mails)], "<b>answer") {
		t.Errorf("what the transcript has told is told again: %q", more[len(mails):])
	}
	ledgertest.Set(t, a.l, "contacts", a.f.Contact, "email", "")
	if err := a.l.MailTranscript(t.Context(), a.f.Org, a.f.Thread); domain.KindOf(err) != domain.Conflict {
		t.Errorf("without an address: %v", err)
	}
}
