package dispatch_test

import (
	"io"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-chat/parley/domain"
	"github.com/parley-chat/parley/domain/account"
	"github.com/parley-chat/parley/domain/dispatch"
	"github.com/parley-chat/parley/domain/ledger"
	"github.com/parley-chat/parley/domain/ledger/ledgertest"
)

// inviting is an owner who invites by mail, and a mailbox that gets nothing until the courier starts.
type inviting struct {
	t    *testing.T
	l    *ledger.Ledger
	f    ledgertest.Fixture
	team *account.Service
	box  *mailbox
}

func newInviting(t *testing.T) *inviting {
	t.Helper()
	l := ledgertest.New(t)
	l.Mails()
	w := &inviting{t: t, l: l, f: ledgertest.Seed(t, l), team: account.New(l), box: openMailbox(t)}
	w.team.PublicURL = "https://chat.example"
	return w
}

func (w *inviting) invite() (token string, i domain.Invitation) {
	w.t.Helper()
	token, i, err := w.team.Invite(w.t.Context(), w.f.Org, w.f.User.ID, "ben@acme.example", domain.RoleMember, account.ByMail)
	if err != nil || i.Mail == nil || i.Mail.Status != "queued" {
		w.t.Fatalf("%+v %v", i.Mail, err)
	}
	return token, i
}

func (w *inviting) count(where string) (n int) {
	w.t.Helper()
	if err := w.l.NewRaw(`SELECT count(*) FROM deliveries WHERE transport = 'mail'`+where).Scan(w.t.Context(), &n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// sent lets the mails go out, until none waits.
func (w *inviting) sent() []string {
	w.t.Helper()
	c := startCourier(w.t, w.l, map[string]dispatch.Transport{"mail": &dispatch.Mail{SMTP: w.box.smtp, PublicURL: "https://chat.example", Ledger: w.l}})
	c.Wake()
	until(w.t, "no mail that waits", func() bool { return w.count(` AND status IN ('queued', 'running')`) == 0 })
	return w.box.All()
}

func read(t *testing.T, raw string) (head mail.Header, body string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, string(all)
}

var mailedLink = regexp.MustCompile(`https://chat\.example/join\?token=([\w-]+)`)

// The mail says who invites to what, holds a link that works, and what is stored holds none. Names are names, whatever stands in them.
func TestInvitationIsMailed(t *testing.T) {
	t.Parallel()
	w := newInviting(t)
	const nasty = "<b>Eve</b>\r\nBcc: eve@evil.example\r\n\r\nX"
	ledgertest.Set(t, w.l, "users", w.f.User.ID, "name", nasty)
	ledgertest.Set(t, w.l, "organisations", w.f.Org, "name", nasty)
	token, _ := w.invite()
	mails := w.sent()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	head, body := read(t, mails[0])
	if to, err := head.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != "ben@acme.example" || head.Get("Bcc") != "" || head.Get("Cc") != "" {
		t.Errorf("to %v, bcc %q, %v", to, head.Get("Bcc"), err)
	}
	if s := head.Get("Subject"); s != "<b>Eve</b> Bcc: eve@evil.example X invites you to <b>Eve</b> Bcc: eve@evil.example X" {
		t.Errorf("the subject is %q", s)
	}
	for _, want := range []string{"<b>Eve</b> Bcc: eve@evil.example X (" + w.f.User.Email + ") invites you to join <b>Eve</b> Bcc: eve@evil.example X as a member", "&lt;b&gt;Eve", "works once, until ", "ben@acme.example", "you can ignore this mail"} {
		if !strings.Contains(body, want) {
			t.Errorf("the mail lacks %q:\n%s", want, body)
		}
	}
	if html := body[strings.Index(body, "<div"):]; strings.Contains(html, "<b>") {
		t.Errorf("a name is taken for HTML:\n%s", html)
	}
	links := mailedLink.FindAllStringSubmatch(body, -1)
	if len(links) != 2 || links[0][1] != token || links[1][1] != token { // as text and as HTML
		t.Fatalf("the links are %q", links)
	}
	if _, err := w.team.Accept(t.Context(), links[0][1], "Ben", "a good long sentence"); err != nil {
		t.Error(err)
	}
}

// Whoever reads the database has no link, before and after it was mailed.
func TestNoLinkIsStored(t *testing.T) {
	t.Parallel()
	w := newInviting(t)
	token, _ := w.invite()
	holds := func(when string) {
		t.Helper()
		var rows []string
		if err := w.l.NewRaw(`SELECT to_jsonb(d)::text FROM deliveries d UNION ALL SELECT to_jsonb(i)::text FROM invitations i`).Scan(t.Context(), &rows); err != nil || len(rows) != 2 {
			t.Fatal(rows, err)
		}
		for _, row := range rows {
			if strings.Contains(row, token) {
				t.Errorf("%s a link is stored: %s", when, row)
			}
		}
	}
	holds("before it is sent")
	if len(w.sent()) != 1 {
		t.Fatal("it was not sent")
	}
	holds("once it is sent")
}

// However often an invitation is sent, on purpose or as nobody heard that it arrived, every mail of it has the link that works.
func TestEveryMailOfAnInvitationHasItsLink(t *testing.T) {
	t.Parallel()
	w := newInviting(t)
	token, i := w.invite()
	for range 2 { // before any is sent
		if _, _, err := w.team.InviteAgain(t.Context(), w.f.Org, w.f.User.ID, i.ID, account.ByMail); err != nil {
			t.Fatal(err)
		}
	}
	w.box.refuse.Store(1)
	if mails := w.sent(); len(mails) != 1 {
		t.Fatalf("%d mails for one that was asked for again while it waited", len(mails))
	}
	i, err := w.team.Invitation(t.Context(), w.f.Org, i.ID)
	if err != nil || i.Mail == nil || i.Mail.Status != "done" || i.Mail.Attempts != 2 {
		t.Fatalf("%+v %v", i.Mail, err)
	}
	mailed := func(n int) {
		t.Helper()
		until(t, "another mail", func() bool { return len(w.box.All()) == n && w.count(` AND status IN ('queued', 'running')`) == 0 })
	}
	if err := w.l.ResendDelivery(t.Context(), w.f.Org, i.Mail.ID); err != nil { // as after an answer that nobody heard
		t.Fatal(err)
	}
	mailed(2)
	if _, _, err := w.team.InviteAgain(t.Context(), w.f.Org, w.f.User.ID, i.ID, account.ByMail); err != nil {
		t.Fatal(err)
	}
	mailed(3)
	var ids []string
	for _, m := range w.box.All() {
		head, body := read(t, m)
		ids = append(ids, head.Get("Message-Id"))
		if links := mailedLink.FindAllStringSubmatch(body, -1); len(links) != 2 || links[0][1] != token {
			t.Errorf("another link: %q", links)
		}
	}
	if ids[0] != ids[1] || ids[1] == ids[2] { // mailboxes drop what they have: the same mail again, but not another one
		t.Errorf("the mails are called %q", ids)
	}
	if _, err := w.team.Invited(t.Context(), token); err != nil {
		t.Error(err)
	}
}

// What nobody can use any more is not mailed, and leaves no trace. Of two invitations of one address the last is.
func TestInvitationsThatAreMoot(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		meanwhile func(w *inviting, token string, i domain.Invitation) error
		mails     int
	}{
		"withdrawn": {func(w *inviting, _ string, i domain.Invitation) error {
			return w.team.Withdraw(w.t.Context(), w.f.Org, i.ID)
		}, 0},
		"used": {func(w *inviting, token string, _ domain.Invitation) error {
			_, err := w.team.Accept(w.t.Context(), token, "Ben", "a good long sentence")
			return err
		}, 0},
		"over": {func(w *inviting, _ string, i domain.Invitation) error {
			_, err := w.l.NewRaw(`UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = ?`, i.ID).Exec(w.t.Context())
			return err
		}, 0},
		"replaced by a link": {func(w *inviting, _ string, _ domain.Invitation) error {
			_, _, err := w.team.Invite(w.t.Context(), w.f.Org, w.f.User.ID, "ben@acme.example", domain.RoleOwner, account.ByLink)
			return err
		}, 0},
		"invited twice": {func(w *inviting, _ string, _ domain.Invitation) error {
			_, _, err := w.team.Invite(w.t.Context(), w.f.Org, w.f.User.ID, "ben@acme.example", domain.RoleOwner, account.ByMail)
			return err
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newInviting(t)
			token, i := w.invite()
			if err := tt.meanwhile(w, token, i); err != nil {
				t.Fatal(err)
			}
			mails := w.sent()
			if len(mails) != tt.mails || w.count("") != tt.mails {
				t.Fatalf("%d mails, %d deliveries are left", len(mails), w.count(""))
			}
			for _, m := range mails {
				_, body := read(t, m)
				links := mailedLink.FindAllStringSubmatch(body, -1)
				if len(links) != 2 || links[0][1] == token || !strings.Contains(body, "as an owner") {
					t.Fatalf("the links are %q", links)
				}
				if _, err := w.team.Invited(t.Context(), links[0][1]); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A link of another PARLEY_SECRET would lead nowhere: whoever invited is told so instead.
func TestInvitationUnderAnotherSecret(t *testing.T) {
	t.Parallel()
	w := newInviting(t)
	_, i := w.invite()
	if _, err := w.l.NewRaw(`UPDATE invitations SET token_hash = 'x'`).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if mails := w.sent(); len(mails) > 0 {
		t.Errorf("mailed %q", mails)
	}
	i, err := w.team.Invitation(t.Context(), w.f.Org, i.ID)
	if err != nil || i.Mail == nil || i.Mail.Status != "dead" || !strings.Contains(i.Mail.Error, "PARLEY_SECRET has changed") {
		t.Errorf("%+v %v", i.Mail, err)
	}
}

// Why a mail did not go out is what the mail server said, in one sentence.
func TestWhyAMailDidNotGoOut(t *testing.T) {
	t.Parallel()
	w := newInviting(t)
	_, i := w.invite()
	w.box.refuse.Store(1 << 20)
	startCourier(t, w.l, map[string]dispatch.Transport{"mail": &dispatch.Mail{SMTP: w.box.smtp, PublicURL: "https://chat.example", Ledger: w.l}}).Wake()
	until(t, "an attempt", func() bool { return w.count(` AND last_error <> ''`) == 1 })
	i, err := w.team.Invitation(t.Context(), w.f.Org, i.ID)
	if err != nil || i.Mail == nil || i.Mail.Error != `the mail server answered 451 "come again"` {
		t.Errorf("%+v %v", i.Mail, err)
	}
}

// One of the team gets other words, also where a program has asked for them.
func TestPasswordLinkIsMailed(t *testing.T) {
	t.Parallel()
	w := newInviting(t)
	token, _, err := w.team.InviteBack(t.Context(), w.f.Org, "", w.f.User.ID, account.ByMail)
	if err != nil {
		t.Fatal(err)
	}
	mails := w.sent()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	head, body := read(t, mails[0])
	if !strings.HasPrefix(head.Get("Subject"), "Choose another password for ") || !strings.Contains(body, "Hello "+w.f.User.Name) || !strings.Contains(body, "token="+token) || strings.Contains(body, "invite") {
		t.Errorf("%s\n%s", head.Get("Subject"), body)
	}
}
